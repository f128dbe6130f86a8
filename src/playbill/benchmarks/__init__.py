"""Measuring Playbill on the machine at hand, with a catalogue of the size that is asked for."""

"""Bundles as digests, and the pointer that says which one serves."""

from playbill.registry.bundle_store import BundleStore, digests_of, verify_bundle

__all__ = ["BundleStore", "digests_of", "verify_bundle"]

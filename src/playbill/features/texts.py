"""The words behind the numbers: catalogue entries and names, kept beside the viewers' rows."""

import msgspec

from playbill.contracts import StoredVideo, VideoView


class CatalogueEntry(msgspec.Struct, frozen=True, array_like=True):
    """A video's texts and the row of its record."""

    row: int
    video: StoredVideo

    def view(self) -> VideoView:
        """Return what people may see of it."""
        video = self.video
        return VideoView(
            video_id=video.video_id,
            author_id=video.author_id,
            title=video.title,
            topics=video.topics,
            language=video.language,
            duration_ms=video.duration_ms,
            regions=video.regions,
            age_rating=video.age_rating,
            created_at_ms=video.created_at_ms,
            visible=video.visible,
        )


class Caption(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a feed says of a video: the first part of a ``StoredVideo``, in its order."""

    key: int
    video_id: str
    author_id: str
    title: str
    topics: tuple[str, ...]


class CaptionEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A ``CatalogueEntry`` read as far as its caption."""

    row: int
    video: Caption


_entries = msgspec.msgpack.Decoder(CatalogueEntry)
_captions = msgspec.msgpack.Decoder(CaptionEntry)
_encode = msgspec.msgpack.Encoder().encode


def video_text_key(key: int) -> bytes:
    """Return where a video's entry lies."""
    return b"v" + key.to_bytes(8, "big")


def topic_text_key(topic: int) -> bytes:
    """Return where a topic's name lies."""
    return b"t" + topic.to_bytes(4, "big")


def author_text_key(author: int) -> bytes:
    """Return where an author's id lies."""
    return b"a" + author.to_bytes(4, "big")


def encode_entry(row: int, video: StoredVideo) -> bytes:
    """Return the bytes of a catalogue entry."""
    return _encode(CatalogueEntry(row, video))


def decode_entry(data: bytes) -> CatalogueEntry:
    """Return a catalogue entry."""
    return _entries.decode(data)


def decode_caption(data: bytes) -> CaptionEntry:
    """Return the row and the caption of a catalogue entry."""
    return _captions.decode(data)

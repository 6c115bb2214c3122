"""What the page says in words and numbers: a pure function of what it shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.scene import ATOMS_DRAWN, Scene, angle_period_deg
from dashboard.service_words import NOTHING, service_words
from dashboard.snapshot import Channel, Link, LinkState, Snapshot, channel_name
from dashboard.view import Mode, View
from dashboard.whereabouts import scan, whereabouts
from streamer.analysis import FRAME_BUDGET_S, Flag
from streamer.atoms import SPECIES

FLAG_WORDS: Mapping[Flag, str] = {
    Flag.NO_PIXEL_SIZE: "no pixel size, none to be told from the lattice: not analysed",
    Flag.PIXEL_SIZE_ESTIMATED: "pixel size estimated from the lattice",
    Flag.PIXEL_SIZE_DOUBTFUL: "pixel size contradicts the lattice",
    Flag.NOT_FINITE: "NaN or infinite pixels were replaced",
    Flag.CONSTANT: "every pixel has the same value",
    Flag.CONSTANT_ROWS: "the last rows are all one value",
    Flag.PARTIAL: "partial frame",
    Flag.TOO_SMALL: "too few pixels for the network",
    Flag.NO_ATOMS: "no atoms found",
    Flag.BLURRED: "blurred: neighbouring atoms merge",
    Flag.OTHER_LATTICE: "not the model's lattice: material or pixel size?",
    Flag.TOO_NOISY: "too noisy to tell atoms from noise",
    Flag.FAILED: "the analysis failed: see the service's log",
}

LINK_WORDS: Mapping[LinkState, tuple[str, str, str]] = {
    LinkState.WAITING: ("WAITING", "waiting", "warn"),
    LinkState.RECEIVING: ("LIVE", "receiving", "good"),
    LinkState.SILENT: ("SILENT", "nothing heard", "bad"),
    LinkState.RECORDED: ("RECORDED", "recorded", "calm"),
    LinkState.FAILED: ("STOPPED", "stopped", "bad"),
}
"""Badge, connection in words, and tone."""


@dataclass(frozen=True, slots=True)
class Status:
    """Texts by the id of the element that shows them, and their tones.

    A tone is "good", "calm", "warn" or "bad".
    """

    texts: Mapping[str, str]
    tones: Mapping[str, str]


def status(view: View, snapshot: Snapshot) -> Status:
    """What the page says when `view` looks at `snapshot`."""
    channel, scene = view.shown_channel(snapshot), view.shown_scene(snapshot)
    badge, badge_tone = mode_badge(view, snapshot.link, channel)
    link, link_tone = connection(snapshot.link, channel)
    services = service_words(snapshot, channel)
    lost = 0 if channel is None else lost_frames(snapshot, channel)
    texts = {
        "mode": badge,
        **whereabouts(view, snapshot),
        "link": link,
        "origin": snapshot.link.words or snapshot.link.origin,
        "gaps": "none" if not lost else f"{lost:,} lost",
        "notice": notice(snapshot, scene),
        **(blank_texts() if scene is None else scene_texts(scene)),
        **({} if channel is None else channel_texts(channel)),
        **{name: said.text for name, said in services.items()},
    }
    tones = {
        "mode": badge_tone,
        "link": link_tone,
        "gaps": "bad" if lost else "calm",
        "latency": latency_tone(scene),
        "latency-bar": latency_tone(scene),
        **{name: said.tone for name, said in services.items()},
    }
    return Status(texts, tones)


def lost_frames(snapshot: Snapshot, channel: Channel) -> int:
    """Frames of this run that will never come."""
    return snapshot.lost.get(channel.history.stream.id, 0)


def mode_badge(view: View, link: Link, channel: Channel | None) -> tuple[str, str]:
    """The one word that says what is on the screen, and its tone.

    LIVE stands there only while frames can still come and the newest is shown.
    """
    if view.mode is not Mode.LIVE:
        return view.mode.upper(), "warn" if view.mode is Mode.PAUSED else "calm"
    state = link.state
    if channel is None and state is LinkState.RECEIVING:
        state = LinkState.WAITING
    if channel is not None and channel.ended and state is LinkState.RECEIVING:
        return "ENDED", "calm"
    badge, _, tone = LINK_WORDS[state]
    return badge, tone


def connection(link: Link, channel: Channel | None) -> tuple[str, str]:
    """How things stand with where frames come from, in words, and their tone."""
    _, words, tone = LINK_WORDS[link.state]
    is_bad = link.state in (LinkState.SILENT, LinkState.FAILED)
    if channel is not None and channel.ended and not is_bad:
        words = "stream ended"
    if channel is None and link.state is LinkState.RECEIVING:
        words, tone = "no frame yet, service heard at", "warn"
    return words, tone


def notice(snapshot: Snapshot, scene: Scene | None) -> str:
    """What to write across the maps when there is nothing, or not all, to see."""
    if scene is None:
        return empty_notice(snapshot.link)
    if scene.found == 0:
        return "No atoms in this frame"
    if scene.found > ATOMS_DRAWN:
        return f"{len(scene.atoms['x']):,} of {scene.found:,} atoms are drawn"
    return ""


def empty_notice(link: Link) -> str:
    """What to write when no frame has come yet."""
    if link.state is LinkState.FAILED:
        return f"Stopped: {link.words}"
    if link.state is LinkState.RECORDED:
        return f"No analysed frame in {link.origin}"
    if link.state is LinkState.RECEIVING:
        return (
            f"The service at {link.origin} is heard, and has no frame yet: does its "
            "source send?"
        )
    return f"Waiting for the first frame from {link.origin}"


def blank_texts() -> dict[str, str]:
    """`scene_texts` before the first frame."""
    numbers = ("frame", "time", "dose", "latency", "model", "provider", *SPECIES)
    words = ("frames", "stream", "stages", "flags", "hash")
    return {
        **dict.fromkeys(numbers, NOTHING),
        **dict.fromkeys(words, ""),
        "half-period": "fold",
    }


def scene_texts(scene: Scene) -> dict[str, str]:
    """Texts about the frame that is shown."""
    return {
        "frame": f"{scene.seq:,}",
        "time": duration(scene.time_s),
        "dose": dose(scene.dose_e_nm2),
        "latency": f"{scene.latency_s:.2f} s",
        "stages": stages(scene.stages_ms),
        # How much of a partial frame there is stands where the rest will come.
        "flags": " · ".join(
            flag_words(flag, scene)
            for flag in scene.flags
            if flag is not Flag.PARTIAL or scan(scene) == ""
        ),
        "model": scene.model.name,
        "hash": scene.model.sha256[:8],
        "provider": scene.provider.removesuffix("ExecutionProvider"),
        "half-period": f"fold to {angle_period_deg(scene.model) / 2:g}°",
        **{name: f"{scene.summary.counts.get(name, 0):,}" for name in SPECIES},
    }


def flag_words(flag: Flag, scene: Scene) -> str:
    """What a flag of this frame means, with the pixel size that its lattice tells."""
    told_nm = scene.told_pixel_size_nm
    about_size = flag in {Flag.PIXEL_SIZE_ESTIMATED, Flag.PIXEL_SIZE_DOUBTFUL}
    size = f": {told_nm:.4g} nm" if about_size and told_nm is not None else ""
    return FLAG_WORDS[flag] + size


def channel_texts(channel: Channel) -> dict[str, str]:
    """Texts about the stream."""
    return {
        "frames": f"of {len(channel.history.records):,}",
        "stream": channel_name(channel.history.stream),
    }


def latency_tone(scene: Scene | None) -> str:
    """How much of the time for one frame its analysis took."""
    share = latency_share(scene)
    return "bad" if share >= 1 else "warn" if share > 0.5 else "good"


def latency_share(scene: Scene | None) -> float:
    """Latency over the time that a frame takes; 0 before the first frame."""
    if scene is None or not math.isfinite(scene.latency_s):
        return 0.0
    return scene.latency_s / FRAME_BUDGET_S


def stages(stages_ms: Mapping[str, float]) -> str:
    """The time of all stages, of that which a frame takes: "0.37 of 33.5 s"."""
    total_s = sum(ms for ms in stages_ms.values() if math.isfinite(ms)) / 1000
    return f"{total_s:.2f} of {FRAME_BUDGET_S:g} s" if stages_ms else NOTHING


def duration(seconds: float) -> str:
    """Hours, minutes, seconds: "1:02:03"."""
    if not math.isfinite(seconds):
        return NOTHING
    minutes, whole = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{whole:02}"


def dose(electrons_nm2: float) -> str:
    """Electrons per nm²: "1.6 x 10^9" as it is printed."""
    if not (math.isfinite(electrons_nm2) and electrons_nm2 > 0):
        return NOTHING
    mantissa, exponent = f"{electrons_nm2:.2e}".split("e")
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} \N{MULTIPLICATION SIGN} 10{power} e/nm²"

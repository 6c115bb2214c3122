"""What a report shows, in which order."""

from functools import partial

from atomstream.report.figure import Section
from atomstream.report.sections import (
    dynamics,
    probabilities,
    real_space,
    steps,
    sub_images,
)
from atomstream.report.survey import Survey


def contents(survey: Survey) -> tuple[Section, ...]:
    """The sections with figures; the paper's figures 2, 3, 5, 6 and 7, and S1."""
    return (
        probabilities.SECTION,
        steps.SECTION,
        Section("sub-images", "What the sub-images are made of", sub_images.draw),
        Section(
            "real-space", "Latents in real space", partial(real_space.draw, survey)
        ),
        Section("dynamics", "Dynamics", partial(dynamics.draw, survey)),
    )

"""What a report shows, in which order."""

from functools import partial

from atomstream.report.figure import Section
from atomstream.report.sections import dynamics, probabilities, real_space, steps
from atomstream.report.survey import Survey


def contents(survey: Survey) -> tuple[Section, ...]:
    """The sections with figures; the paper's figures 2, 3, 6 and 7."""
    return (
        probabilities.SECTION,
        steps.SECTION,
        Section(
            "real-space", "Latents in real space", partial(real_space.draw, survey)
        ),
        Section("dynamics", "Dynamics", partial(dynamics.draw, survey)),
    )

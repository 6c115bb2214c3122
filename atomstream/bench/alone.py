"""One frame, analysed by a process that does nothing else. A program of its own.

Takes model, threads, device, "on" or "off" for the refinement, frame (.npy) and nm per
pixel.
Writes the number of atoms to stdout.
"""

import sys

import numpy as np

from inference.analyse import Analyser, History
from inference.device import Device
from inference.model import load_model
from streamer.frame import Frame, Stream
from streamer.session.atoms_table import encode


def main() -> None:
    """Analyse the frame, and make its table."""
    model, threads, device, refine, file, pixel_size_nm = sys.argv[1:]
    loaded = load_model(model, int(threads), Device(device))
    analyser = Analyser(loaded, refine=refine == "on")
    stream = Stream("bench", file, "HAADF")
    frame = Frame(stream, 0, np.load(file), pixel_size_nm=float(pixel_size_nm))
    analysis = analyser.analyse(frame, History())
    encode(analysis, stream_number=0)
    sys.stdout.write(f"{len(analysis.atoms)}\n")


if __name__ == "__main__":
    main()

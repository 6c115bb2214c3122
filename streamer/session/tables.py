"""The tables of a session's index."""

from collections.abc import Mapping
from types import MappingProxyType

APPLICATION_ID = 0x61746D73
"""By which `file` and we tell a session's index from other SQLite files ("atms")."""
VERSION = 3
"""Of the tables below; a session of a later version is refused."""
ATTEMPTS = """
    CREATE TABLE attempts (
        frame INTEGER PRIMARY KEY REFERENCES frames,
        tries INTEGER NOT NULL,          -- begun; those that are done have no row
        reason TEXT                      -- why it is set aside; NULL while it is not
    ) STRICT
"""
TABLES = (
    """
    CREATE TABLE streams (
        number INTEGER PRIMARY KEY,      -- 0, 1, … in the order they came
        id TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        channel TEXT NOT NULL,
        total INTEGER                    -- frames sent; NULL until the stream's end
    ) STRICT
    """,
    """
    CREATE TABLE frames (
        number INTEGER PRIMARY KEY,      -- order of commit
        stream INTEGER NOT NULL REFERENCES streams,
        seq INTEGER NOT NULL,
        received_ns INTEGER NOT NULL,    -- since 1970 UTC, as the next
        start_ns INTEGER,
        time_s REAL,                     -- since the stream's first frame
        dose_e_nm2 REAL,                 -- accumulated, this frame included
        rows INTEGER NOT NULL,
        cols INTEGER NOT NULL,
        pixel_size_nm REAL,
        x_nm REAL NOT NULL,              -- of the centre of pixel (0, 0)
        y_nm REAL NOT NULL,
        completeness TEXT NOT NULL,
        valid_rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,          -- of the file, as its SHA-256
        sha256 TEXT NOT NULL,
        -- Since version 3, NULL for what was committed before:
        sent_ns INTEGER,                 -- by the source's clock; NULL where unknown
        committed_ns INTEGER,
        UNIQUE (stream, seq)
    ) STRICT
    """,
    """
    CREATE TABLE models (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        latents TEXT NOT NULL,           -- JSON list of names
        angle_period_rad REAL NOT NULL,
        UNIQUE (name, sha256, latents, angle_period_rad)
    ) STRICT
    """,
    """
    CREATE TABLE analyses (
        frame INTEGER PRIMARY KEY REFERENCES frames,
        model INTEGER NOT NULL REFERENCES models,
        provider TEXT NOT NULL,
        pixel_size_nm REAL,              -- what was used
        flags TEXT NOT NULL,             -- JSON list
        counts TEXT NOT NULL,            -- JSON map: species to atoms
        area_nm2 REAL,                   -- NULL for NaN, as all that follow
        density_nm2 REAL,
        hole_area_nm2 REAL,
        bond_length_nm REAL,
        mean_crystallinity REAL,
        stages_ms TEXT NOT NULL,         -- JSON map, in order
        latency_s REAL,
        bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        -- Since version 2, NULL for what was analysed before:
        lattice_constant_nm REAL,
        lattice_constant_sigma_nm REAL,
        estimated_pixel_size_nm REAL,
        histograms TEXT,                 -- JSON map: quantity to histogram
        -- Since version 3, as above:
        analysis_committed_ns INTEGER    -- since 1970 UTC
    ) STRICT
    """,
    """
    CREATE TABLE gaps (
        number INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL REFERENCES streams,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,           -- included
        reason TEXT NOT NULL,
        noticed_ns INTEGER NOT NULL,
        UNIQUE (stream, first, last)
    ) STRICT
    """,
    """
    CREATE TABLE events (
        number INTEGER PRIMARY KEY,
        time_ns INTEGER NOT NULL,
        kind TEXT NOT NULL,
        text TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE services (
        role TEXT PRIMARY KEY,           -- the last to hold the role's lock
        pid INTEGER NOT NULL
    ) STRICT
    """,
    ATTEMPTS,
)
"""In a new session."""
LATE = ("attempts",)
"""Tables that version 1 lacks; a reader takes them for empty."""
ADDED: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        2: (
            "ALTER TABLE analyses ADD COLUMN lattice_constant_nm REAL",
            "ALTER TABLE analyses ADD COLUMN lattice_constant_sigma_nm REAL",
            "ALTER TABLE analyses ADD COLUMN estimated_pixel_size_nm REAL",
            "ALTER TABLE analyses ADD COLUMN histograms TEXT",
            ATTEMPTS.replace("TABLE", "TABLE IF NOT EXISTS", 1),
        ),
        3: (
            "ALTER TABLE frames ADD COLUMN sent_ns INTEGER",
            "ALTER TABLE frames ADD COLUMN committed_ns INTEGER",
            "ALTER TABLE analyses ADD COLUMN analysis_committed_ns INTEGER",
        ),
    }
)
"""What makes the tables of each version from those of the one before. A session is
brought up to date by who writes to it; a reader does without what is not there."""

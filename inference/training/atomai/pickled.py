"""What a pickle says, as data: nothing in it is ever called.

A pickle is a program for a small stack machine, and what it names is imported and
called. The machine here has nothing to import or call: a name stays a name, a call
leaves a mark that says what would have been called, and only what PyTorch builds its
tensors of is understood. So an optimizer that was saved beside the weights, or
anything worse, passes through without effect.

References
----------
`pickletools`, which documents every operation of the machine and parses them.
"""

import pickletools
import struct
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from streamer.errors import ModelError

MAX_OPERATIONS = 500_000
"""A model of a hundred layers and its optimizer take about ten thousand."""
MAX_BITS = 48
"""Of whole numbers that are counted with or looked up; no file is as large, and larger
ones could be chosen so that a dictionary becomes slow."""
MAX_DIMENSIONS = 8

DAMAGE = (
    ValueError,  # pickletools' word for whatever it cannot parse
    LookupError,
    TypeError,
    OverflowError,
    struct.error,
)
"""What reading damaged bytes can raise."""


@dataclass(frozen=True, slots=True)
class Named:
    """The name of a class or function, which was not imported."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Inert:
    """In the place of an object that was not made."""

    name: str
    """Of what would have made it."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers that lies elsewhere in the file."""

    key: str
    kind: str
    """Name of PyTorch's class, as "torch.FloatStorage"."""
    length: int
    """In numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """How a tensor lies in its storage; offset and strides in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Unpickled:
    """The value of a pickle, and the storages that it refers to, by key."""

    value: object
    storages: dict[str, Storage]


def unpickle(file: BinaryIO) -> Unpickled:
    """Read one pickle, up to its end and no farther.

    Returns
    -------
    Plain values and containers as they are; `Named`, `Inert`, `StoredTensor` for the
    rest.

    Raises
    ------
    ModelError
        Damaged, cut short, or longer than any model's.
    """
    try:
        # What Python thinks of an escape in a damaged text concerns nobody.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            return _executed(file)
    except DAMAGE as error:
        raise ModelError("its pickle is damaged") from error


def _executed(file: BinaryIO) -> Unpickled:
    machine = _Machine()
    for number, (operation, argument, _) in enumerate(pickletools.genops(file)):
        if number == MAX_OPERATIONS:
            raise ModelError("more operations than any model needs")
        if operation.name == "STOP":
            return Unpickled(machine.stack.pop(), machine.storages)
        _OPERATIONS[operation.name](machine, argument)
    raise ModelError("its pickle has no end")


@dataclass(slots=True, eq=False)
class _Machine:
    stack: list[object] = field(default_factory=list)
    outer: list[list[object]] = field(default_factory=list)
    """Stacks below the marks that were set."""
    memo: dict[int, object] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)

    def push(self, value: object) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[object]:
        items, self.stack = self.stack, self.outer.pop()
        return items

    def last(self, count: int) -> tuple[object, ...]:
        if count > len(self.stack):
            raise IndexError("the stack is empty")
        items = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return items

    def extend(self, items: list[object]) -> None:
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)

    def update(self, items: list[object]) -> None:
        if isinstance(self.stack[-1], dict):
            self.stack[-1].update(_dictionary(items))

    def call(self, function: object, arguments: object) -> None:
        name = function.name if isinstance(function, Named) else type(function).__name__
        rebuild = _REBUILT.get(name)
        if rebuild and isinstance(arguments, tuple):
            self.stack.append(rebuild(arguments))
        else:
            self.stack.append(Inert(name))

    def refer(self, reference: object) -> None:
        """Push what a persistent id stands for; PyTorch has them for storages only."""
        match reference:
            case ("storage", Named(name=kind), str(key), _, int(length), *view) if (
                _counts(length) and view in ([], [None])
            ):
                storage = self.storages.setdefault(key, Storage(key, kind, length))
                self.stack.append(storage)
            case _:
                raise ValueError("not a reference to a storage")

    def remember(self, place: int) -> None:
        if not _counts(place):
            raise ValueError("not a place in the memo")
        self.memo[place] = self.stack[-1]


def _dictionary(items: list[object]) -> dict[object, object]:
    """Keys and values in turn → a dictionary, in which no key costs much to find."""
    return {
        _cheap_key(key): value
        for key, value in zip(items[::2], items[1::2], strict=True)
    }


def _cheap_key(key: object) -> object:
    if isinstance(key, str | bool | None):
        return key
    return key if _counts(key) else Inert(type(key).__name__)


def _counts(number: object) -> bool:
    """Whether it is a number of something, or a place in it."""
    return isinstance(number, int) and 0 <= number < 1 << MAX_BITS


def _tensor(arguments: tuple[object, ...]) -> object:
    match arguments:
        case (Storage() as storage, int(offset), tuple(shape), tuple(strides), *_):
            whole = all(map(_counts, (offset, *shape, *strides)))
            if whole and len(shape) == len(strides) <= MAX_DIMENSIONS:
                return StoredTensor(storage, offset, shape, strides)
    raise ValueError("not a tensor")


def _empty_dictionary(arguments: tuple[object, ...]) -> object:
    return {} if not arguments else Inert("collections.OrderedDict")


_REBUILT: Mapping[str, Callable[[tuple[object, ...]], object]] = {
    "collections.OrderedDict": _empty_dictionary,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda arguments: arguments[0],
    "torch._utils._rebuild_parameter_with_state": lambda arguments: arguments[0],
}
"""All that is rebuilt, by the name under which a pickle calls it."""

type _Operation = Callable[[_Machine, Any], object]

_ARGUMENTS = (
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
    *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
"""Operations that push what is written behind them."""


def _push_global(machine: _Machine, argument: str) -> None:
    machine.push(Named(argument.replace(" ", ".")))


def _push_global_from_stack(machine: _Machine, _: None) -> None:
    module, name = machine.last(2)
    machine.push(Named(f"{module!s:.200}.{name!s:.200}"))


def _call_marked(machine: _Machine, _: None) -> None:
    function, *arguments = machine.since_mark()
    machine.call(function, tuple(arguments))


def _call_named_marked(machine: _Machine, argument: str) -> None:
    machine.call(Named(argument.replace(" ", ".")), tuple(machine.since_mark()))


_OPERATIONS: Mapping[str, _Operation] = {
    **dict.fromkeys(_ARGUMENTS, lambda machine, arg: machine.push(arg)),
    **dict.fromkeys(("PROTO", "FRAME"), lambda _machine, _: None),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "MARK": lambda machine, _: machine.mark(),
    "POP": lambda machine, _: machine.last(1),
    "POP_MARK": lambda machine, _: machine.since_mark(),
    "DUP": lambda machine, _: machine.push(machine.stack[-1]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE1": lambda machine, _: machine.push(machine.last(1)),
    "TUPLE2": lambda machine, _: machine.push(machine.last(2)),
    "TUPLE3": lambda machine, _: machine.push(machine.last(3)),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "LIST": lambda machine, _: machine.push(machine.since_mark()),
    "APPEND": lambda machine, _: machine.extend(list(machine.last(1))),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "DICT": lambda machine, _: machine.push(_dictionary(machine.since_mark())),
    "SETITEM": lambda machine, _: machine.update(list(machine.last(2))),
    "SETITEMS": lambda machine, _: machine.update(machine.since_mark()),
    "EMPTY_SET": lambda machine, _: machine.push(Inert("set")),
    "ADDITEMS": lambda machine, _: machine.since_mark(),
    "FROZENSET": lambda machine, _: machine.push(
        Inert("frozenset" if machine.since_mark() else "frozenset()")
    ),
    "PUT": lambda machine, arg: machine.remember(arg),
    "BINPUT": lambda machine, arg: machine.remember(arg),
    "LONG_BINPUT": lambda machine, arg: machine.remember(arg),
    "MEMOIZE": lambda machine, _: machine.remember(len(machine.memo)),
    "GET": lambda machine, arg: machine.push(machine.memo[arg]),
    "BINGET": lambda machine, arg: machine.push(machine.memo[arg]),
    "LONG_BINGET": lambda machine, arg: machine.push(machine.memo[arg]),
    "GLOBAL": _push_global,
    "STACK_GLOBAL": _push_global_from_stack,
    "INST": _call_named_marked,
    "OBJ": _call_marked,
    "REDUCE": lambda machine, _: machine.call(*machine.last(2)),
    "NEWOBJ": lambda machine, _: machine.call(*machine.last(2)),
    "NEWOBJ_EX": lambda machine, _: machine.call(*machine.last(3)[:2]),
    "BUILD": lambda machine, _: machine.last(1),
    "PERSID": lambda machine, arg: machine.refer(arg),
    "BINPERSID": lambda machine, _: machine.refer(*machine.last(1)),
}
"""What each operation does; one that is not here makes the pickle a damaged one."""

"""DIMACS files: what is written is read, other programs' files, and broken ones."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from cuts import same
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import graph as reference

from classicseg.graphcut import Graph, read_dimacs, write_dimacs

GOOD = "c a comment\n\np max 4 5\nn 2 s\nn 3 t\na 2 1 7\na 1 3 4\na 1 4 9\na 4 3 2\na 2 3 1\n"


def read(folder: Path, text: str | bytes) -> Graph:
    file = folder / "problem.max"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_dimacs(file)


def test_a_hand_made_file(tmp_path: Path) -> None:
    cut = read(tmp_path, GOOD).solve()
    assert cut.flow == 4 + 2 + 1
    assert cut.mask.tolist() == [True, True, False, True]  # the nodes 1, source, sink, 4


def test_the_same_in_other_ways(tmp_path: Path) -> None:
    expected = read(tmp_path, GOOD).solve()
    for text in (
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(" ", "\t  ").replace("\na", "\n  a"),
        GOOD.replace("a 1 3 4", "a 1 3 0004"),
        GOOD.replace("p max 4 5", "p max 4 6").replace("a 1 3 4", "a 1 3 1\na 1 3 3"),
        # Into the source, out of the sink, a loop: none of them carries anything.
        GOOD.replace("p max 4 5", "p max 4 9") + "a 1 2 8\na 3 1 9\na 3 2 9\na 4 4 9\n",
        GOOD.replace("n 3 t\n", "") + "c\nn 3 t\n",
    ):
        assert same(read(tmp_path, text).solve(), expected)


def test_only_a_source_and_a_sink(tmp_path: Path) -> None:
    cut = read(tmp_path, "p max 2 2\nn 2 s\nn 1 t\na 2 1 5\na 2 1 6\n").solve()
    assert cut.flow == 11
    assert cut.mask.tolist() == cut.maximal_mask.tolist() == [False, True]
    assert read(tmp_path, "p max 2 0\nn 2 s\nn 1 t\n").solve().flow == 0


def test_networkx_agrees_on_any_numbering(tmp_path: Path, rng: np.random.Generator) -> None:
    networkx = pytest.importorskip("networkx")
    for _ in range(100):
        n = int(rng.integers(2, 9))
        start, end = rng.permutation(n)[:2] + 1
        arcs = rng.integers(1, n + 1, (int(rng.integers(0, 30)), 2))
        capacities = rng.integers(0, 9, len(arcs))
        lines = [f"p max {n} {len(arcs)}", f"n {start} s", f"n {end} t"]
        graph = networkx.DiGraph()
        graph.add_nodes_from(range(1, n + 1))
        for (u, v), c in zip(arcs.tolist(), capacities.tolist(), strict=True):
            lines.append(f"a {u} {v} {c}")
            before = graph.get_edge_data(u, v, {"capacity": 0})["capacity"]
            graph.add_edge(u, v, capacity=before + c)
        cut = read(tmp_path, "\n".join(lines)).solve()
        assert cut.flow == networkx.maximum_flow_value(graph, start, end)
        for mask in (cut.mask, cut.maximal_mask):
            assert mask[start - 1] and not mask[end - 1]
            tail, head = mask[arcs - 1].T if len(arcs) else (np.zeros(0, bool),) * 2
            assert capacities[tail & ~head].sum() == cut.flow


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 3, 12, 60]), st.sampled_from([1, 9, 2**40]))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n_nodes: int, top: int
) -> None:
    rng = np.random.default_rng(seed)
    n_edges = int(rng.integers(0, 3 * n_nodes + 1))
    problem = reference.random_problem(rng, n_nodes, n_edges, top, bool(rng.integers(2)))
    graph = Graph(n_nodes)
    problem.put_into(graph)
    file = tmp_path_factory.mktemp("dimacs") / "graph.max"
    write_dimacs(file, graph)
    expected, found = graph.solve(), read_dimacs(file).solve()
    assert found.flow == expected.flow
    for mask, other in ((found.mask, expected.mask), (found.maximal_mask, expected.maximal_mask)):
        assert mask[n_nodes:].tolist() == [True, False]
        np.testing.assert_array_equal(mask[:n_nodes], other)


BAD: list[tuple[str | bytes, str]] = [
    ("", "is empty"),
    ("c nothing\n", "no line 'p max"),
    ("hello\n", "line 1: begins with 'hello'"),
    (b"\x89PNG\r\n\x1a\n", "line 1: begins with '?PNG'"),
    (b"\x00" * 100, "line 1: begins with '?"),
    (b"p max 3 1\xff\n", "line 1: the number of arcs is '1?'"),
    ("p max 4\n", "line 1: the number of arcs is ''"),
    ("p max 1 0\n", "line 1: the number of nodes is '1'"),
    ("p max 4 -1\n", "line 1: the number of arcs is '-1'"),
    ("p max 4 1 6\n", "line 1: has '6' after its end"),
    ("p min 4 5\n", "line 1: a problem of kind 'min'"),
    ("p max 4 1.5\n", "line 1: the number of arcs is '1.5'"),
    ("p max 99999999999 1\n", "line 1: the number of nodes is '99999999999'"),
    ("p max 4 99999999999999999999999\n", "line 1: the number of arcs"),
    ("p max 4 1000000000\n", "line 1: 1000000000 arcs do not fit"),
    (GOOD + "p max 4 5\n", "line 11: a second line 'p'"),
    ("n 1 s\n" + GOOD, "line 1: comes before the line 'p"),
    ("a 1 2 3\n" + GOOD, "line 1: comes before the line 'p"),
    (GOOD.replace("n 2 s", "n 0 s"), "line 4: a terminal is '0', expected .* from 1 to 4"),
    (GOOD.replace("n 2 s", "n 5 s"), "line 4: a terminal is '5'"),
    (GOOD.replace("n 2 s", "n 2 x"), "line 4: a terminal of kind 'x'"),
    (GOOD.replace("n 3 t", "n 3 s"), "line 5: a second source"),
    (GOOD.replace("n 3 t", "n 2 t"), "line 5: the source is the sink too"),
    (GOOD.replace("n 2 s\n", ""), "without a source"),
    (GOOD.replace("n 3 t\n", ""), "without a sink"),
    (GOOD.replace("a 1 4 9", "a 0 4 9"), "line 8: an arc's tail is '0'"),
    (GOOD.replace("a 1 4 9", "a 1 5 9"), "line 8: an arc's head is '5'"),
    (GOOD.replace("a 1 4 9", "a 1 4 -9"), "line 8: a capacity is '-9'"),
    (GOOD.replace("a 1 4 9", "a 1 4 9.5"), "line 8: a capacity is '9.5'"),
    (GOOD.replace("a 1 4 9", "a 1 4 nan"), "line 8: a capacity is 'nan'"),
    (GOOD.replace("a 1 4 9", "a 1 4 9223372036854775808"), "line 8: a capacity is '9223"),
    (GOOD.replace("a 1 4 9", "a 1 4 " + "9" * 500), "line 8: a capacity is '9{20}...'"),
    (GOOD.replace("a 1 4 9", "a 1 4"), "line 8: a capacity is ''"),
    (GOOD.replace("a 1 4 9", "a 1 4 9 9"), "line 8: has '9' after its end"),
    (GOOD.replace("a 1 4 9", "b 1 4 9"), "line 8: begins with 'b'"),
    (GOOD + "a 1 4 1\n", "line 11: more than the 5 arcs"),
    (GOOD[: GOOD.index("a 2 3 1")], "line 9: the file ends after 4 of 5 arcs"),
    (GOOD[:-2], "line 10: a capacity is ''"),
    ("p max 3 2\nn 1 s\nn 3 t\n" + f"a 1 2 {2**62}\n" * 2, "carry more than 2\\*\\*62"),
    ("p max 3 1\nn 1 s\nn 3 t\n" + f"a 1 3 {2**62}\n", "carry 2\\*\\*62 or more"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_broken_files_are_named_with_the_line(
    text: str | bytes, message: str, tmp_path: Path
) -> None:
    message = message.replace("?", "\\?")
    with pytest.raises(ValueError, match=rf"problem\.max .*{message}"):
        read(tmp_path, text)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    folder = tmp_path_factory.mktemp("dimacs")
    try:
        cut = read(folder, bytes(text)).solve()
    except ValueError as error:
        assert "problem.max" in str(error) or "add up" in str(error)
    else:
        assert cut.flow >= 0


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_dimacs(tmp_path / "none.max")
    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path))):
        read_dimacs(tmp_path)
    with pytest.raises(FileNotFoundError):
        write_dimacs(tmp_path / "none" / "a.max", Graph(2))
    with pytest.raises(IsADirectoryError):
        write_dimacs(tmp_path, Graph(2))


def test_what_cannot_be_written_leaves_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.max"
    file.write_text("before")
    graph = Graph(2)
    with pytest.raises(TypeError, match="graph is a int, expected a Graph"):
        write_dimacs(file, 3)  # type: ignore[arg-type]
    graph.set_terminals(np.array([0.5, 0]), 0)
    with pytest.raises(TypeError, match="graph's terminals are float64"):
        write_dimacs(file, graph)
    graph.set_terminals(1, 0)
    graph.set_edges(np.array([[0, 1]]), np.float32(1))
    with pytest.raises(TypeError, match="graph's edges are float32"):
        write_dimacs(file, graph)
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.max"]


def test_large_files(tmp_path: Path, rng: np.random.Generator) -> None:
    n = 20_000
    problem = reference.random_problem(rng, n, 60_000, 1000, False)
    graph = Graph(n)
    problem.put_into(graph)
    write_dimacs(tmp_path / "large.max", graph)
    cut, expected = read_dimacs(tmp_path / "large.max").solve(), graph.solve()
    assert cut.flow == expected.flow
    np.testing.assert_array_equal(cut.mask[:n], expected.mask)

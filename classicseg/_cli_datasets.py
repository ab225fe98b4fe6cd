"""The command `datasets`: where data comes from; it fetches nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from classicseg._progress import progress

__all__ = ["datasets"]


def datasets(
    name: Annotated[
        str | None, typer.Argument(help="One of them; a list of all by default.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Read all of it in this folder, and tell what is damaged.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Of the data set: val, train, ...")] = None,
) -> int:
    """Tell where a data set comes from, under what terms, and how it is expected to lie.

    Nothing is fetched. With --root, every item is read once: exit code 1 where one is missing or
    damaged.
    """
    from classicseg import datasets as known

    if name is None:
        if root is not None or split is not None:
            raise typer.BadParameter("--root and --split need the name of a data set")
        for one in known.names():
            typer.echo(known.guide(one).splitlines()[0])
        typer.echo("\nclassicseg datasets NAME tells more; nothing is fetched.")
        return 0
    if root is None:
        if split is not None:
            raise typer.BadParameter("--split needs --root")
        typer.echo(known.guide(name))
        return 0
    dataset = known.open(name, root, split, strict=False)
    with progress("reading") as update:
        checked = dataset.check(update)
    kind = f"{dataset.n_classes} classes" if dataset.n_classes else "regions, no classes"
    typer.echo(f"{name}: {len(checked)} items are whole, {len(checked.skipped)} are not; {kind}")
    for one, reason in checked.skipped.items():
        typer.echo(f"{one}: {reason}")
    return 1 if checked.skipped else 0

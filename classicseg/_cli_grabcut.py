"""The command `grabcut`: the interactive window, and sessions without one."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["grabcut"]


def grabcut(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="Any image file.")],
    session: Annotated[
        Path | None,
        typer.Option(
            metavar="JSON",
            help="Session file to go on from, and to save to; session.json in --out by default.",
        ),
    ] = None,
    window: Annotated[
        bool,
        typer.Option(
            "--window/--no-window",
            help="Without one, the session is replayed and its mask and cut-out are written.",
        ),
    ] = True,
    out: Annotated[
        Path, typer.Option(help="Folder for mask.png, cutout.png and session.json.")
    ] = Path(),
    seed: Annotated[int, typer.Option(min=0, help="Of k-means, in a new session.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> int:
    """Cut an object out of a photo by hand: drag a rectangle, paint where it is wrong, save.

    The h key shows all others. The mask follows the brush while it paints; s writes mask.png,
    cutout.png (transparent background) and session.json, which --session opens again.
    """
    from classicseg.grabcut import window as shell

    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"--out is {out}, which is a file, expected a folder")
    if session is not None and session.is_dir():
        raise typer.BadParameter(f"--session is {session}, which is a folder, expected a file")
    if window:
        shell.open_window(photo, out, session=session, seed=seed)
        return 0
    if session is None:
        raise typer.BadParameter("--no-window needs a --session to replay")
    start = time.perf_counter()
    done = shell.replay(photo, session)
    seconds = time.perf_counter() - start
    mask, cutout, _ = shell.save_all(done, out, session, photo.name)
    height, width = done.shape
    share = float(done.mask.mean())
    if as_json:
        report = {
            "photo": str(photo),
            "width": width,
            "height": height,
            "actions": len(done.actions),
            "foreground": share,
            "energy": done.grabcut.energies[-1] if done.grabcut.energies else None,
            "seconds": seconds,
            "mask": str(mask),
            "cutout": str(cutout),
        }
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        typer.echo(
            f"Wrote {mask} and {cutout}: {share:.1%} of {width} x {height} pixels is foreground "
            f"({len(done.actions)} actions, {seconds:.2f} s)"
        )
    return 0

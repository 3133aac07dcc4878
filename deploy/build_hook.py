"""Generates the protobuf and gRPC modules while the package is built, so that no generated code is ever committed.

The hook compiles ``proto/zongheng/v1/*.proto`` into ``build/gen/zongheng/v1`` (modules and type stubs). A wheel
takes the folder in; an editable install puts ``build/gen`` on the path. When compilation fails the build fails
with protoc's own message: a half-generated package is never installed.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def generate(root: Path) -> Path:
    """Compile every proto file below ``root/proto``; returns the folder that holds the package ``zongheng``."""
    import grpc_tools
    from grpc_tools import protoc

    proto, out = root / "proto", root / "build" / "gen"
    sources = sorted(str(path) for path in proto.rglob("*.proto"))
    fresh, old = root / "build" / "gen.new", root / "build" / "gen.old"
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    scripts = Path(sys.executable).parent
    code = protoc.main(
        [
            "protoc",
            f"--proto_path={proto}",
            f"--proto_path={Path(grpc_tools.__file__).parent / '_proto'}",
            f"--plugin=protoc-gen-mypy={_plugin(scripts, 'protoc-gen-mypy')}",
            f"--plugin=protoc-gen-mypy_grpc={_plugin(scripts, 'protoc-gen-mypy_grpc')}",
            f"--python_out={fresh}",
            f"--grpc_python_out={fresh}",
            f"--mypy_out=quiet:{fresh}",
            f"--mypy_grpc_out=quiet:{fresh}",
            *sources,
        ]
    )
    if code != 0:
        raise RuntimeError(f"protoc ended with {code}; its message is above")
    for folder in (fresh / "zongheng", fresh / "zongheng" / "v1"):
        (folder / "__init__.py").write_text('"""Generated from proto/; do not edit."""\n', encoding="utf-8")
        (folder / "py.typed").touch()
    # Two renames, not a deletion and a rename: a process that imports meanwhile finds nothing for an instant only.
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    return out


def _plugin(scripts: Path, name: str) -> str:
    found = shutil.which(name, path=str(scripts)) or shutil.which(name)
    if found is None:
        raise RuntimeError(
            f"{name} is missing: install mypy-protobuf (see pyproject.toml, build-system.requires)"
        )
    return found


class ProtoBuildHook(BuildHookInterface):  # type: ignore[misc]
    """Hatchling's entry point: generate, then add the package to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        out = generate(Path(self.root))
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"][str(out / "zongheng")] = "zongheng"


if __name__ == "__main__":
    print(generate(Path(__file__).resolve().parent.parent))

#!/usr/bin/env python3
"""Compares a bill of materials with the program that it is of: `bill.py SBOM PROGRAM`.

Every crate of which the program has a symbol has to be in it as linked; every component has to be in
Cargo.lock with its digest; every edge has to lead to a component; no path of this machine may be in
it; and it has to be right by CycloneDX's schema, where cyclonedx-python-lib is there to say so.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What comes with rustc, and is in the component rust-std.
STANDARD = {"core", "alloc", "std", "std_detect", "compiler_builtins", "panic_unwind",
            "addr2line", "gimli", "object", "rustc_demangle"}


def symbol_crates(program):
    """The crates whose names symbols of a program begin with (rustc's legacy mangling)."""
    symbols = subprocess.run(
        ["nm", program], check=True, capture_output=True, text=True, timeout=120
    ).stdout
    crates = set()
    for length, rest in re.findall(r" _ZN(\d+)(\w+)", symbols):
        name = rest[: int(length)]
        if re.fullmatch(r"[a-z][a-z0-9_]*", name):
            crates.add(name)
    return crates


def crate_names(components):
    """By which name each package is called in code: as `cargo metadata` says of its library."""
    metadata = json.loads(subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1"],
        cwd=ROOT, check=True, capture_output=True, text=True, timeout=300,
    ).stdout)
    names = set()
    known = {(one["name"], one["version"]) for one in components}
    for package in metadata["packages"]:
        if (package["name"], package["version"]) in known:
            names |= {target["name"].replace("-", "_") for target in package["targets"]
                      if {"lib", "rlib", "bin"} & set(target["kind"])}
    return names


def valid_by_schema(text):
    """What CycloneDX's own schema says, or that nobody could ask it."""
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        print("  NOT RUN: CycloneDX's schema (pip install 'cyclonedx-python-lib[json-validation]')")
        return None
    return JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)


def main():
    """Compares, and fails with all that is wrong."""
    path, program = sys.argv[1:]
    text = pathlib.Path(path).read_text()
    bill = json.loads(text)
    wrong = []
    root = bill["metadata"]["component"]
    linked = [one for one in bill["components"] if one["scope"] == "required"]

    crates = symbol_crates(program)
    if len(crates) < 50:
        wrong.append(f"{program} has symbols of {len(crates)} crates only: is it stripped?")
    missing = crates - crate_names([root, *linked]) - STANDARD
    if missing:
        wrong.append(f"linked, and not in the bill: {sorted(missing)}")

    locked = {(one["name"], one["version"]): one.get("checksum")
              for one in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    for one in bill["components"]:
        if one["name"] == "rust-std":
            continue
        digests = [digest["content"] for digest in one.get("hashes", [])]
        if digests != [locked.get((one["name"], one["version"]))]:
            wrong.append(f"{one['name']} {one['version']} is not as in Cargo.lock")
        if not one["licenses"]:
            wrong.append(f"{one['name']} {one['version']} has no licence")

    refs = {root["bom-ref"], *(one["bom-ref"] for one in bill["components"])}
    edges = {ref for one in bill["dependencies"] for ref in [one["ref"], *one["dependsOn"]]}
    if not edges <= refs:
        wrong.append(f"edges to nothing: {sorted(edges - refs)}")
    if re.search(r"/(home|root|tmp|work|build)/|file:", text):
        wrong.append("there is a path of this machine in it")
    said = valid_by_schema(text)
    if said:
        wrong.append(f"by its schema: {said}")

    if wrong:
        sys.exit("\n".join(["tests/system/bill.py: the bill of materials is wrong", *wrong]))
    print(f"  {len(linked)} linked components and {len(bill['components']) - len(linked)} "
          f"that only build; symbols of {len(crates)} crates")


main()

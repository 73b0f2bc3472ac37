#!/usr/bin/env python3
"""What a program is made of: a CycloneDX bill of materials, and the notices of its licences.

    inventory.py sbom PROGRAM TARGET > sbom.cdx.json
    inventory.py notices TARGET > notices

Both come from what cargo says of Cargo.lock for the target, and from the crates' own files. Nothing
of this machine is in them, so that the same sources give the same bytes.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTICE_NAMES = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)
NOTICE_BYTES_MAX = 256 * 1024


def cargo(*arguments):
    """What cargo prints."""
    done = subprocess.run(
        ["cargo", *arguments], cwd=ROOT, check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout


def listed(target, edges):
    """The (name, version) of the packages that cargo takes for visnyk along such edges."""
    tree = cargo("tree", "--locked", "--target", target, "--edges", edges, "--prefix", "none",
                 "--format", "{p}")
    return {tuple(line.split()[:2]) for line in tree.splitlines() if line}


class Inventory:
    """The packages that are linked into the program, and those that only help to build it."""

    def __init__(self, target):
        linked = listed(target, "normal,no-proc-macro")
        needed = listed(target, "normal,build")
        metadata = json.loads(
            cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", target)
        )
        lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
        self.checksums = {
            (package["name"], package["version"]): package.get("checksum")
            for package in lock["package"]
        }
        self.packages = {}
        names = {}
        for package in metadata["packages"]:
            key = (package["name"], "v" + package["version"])
            names[package["id"]] = key
            if key in needed:
                self.packages[key] = package
        self.linked = linked & set(self.packages)
        missing = needed - set(self.packages)
        if missing:
            sys.exit(f"inventory.py: cargo metadata does not know {sorted(missing)}")
        self.edges = {
            names[node["id"]]: sorted(
                names[dep["pkg"]]
                for dep in node["deps"]
                if names[dep["pkg"]] in needed
                and any(kind["kind"] != "dev" for kind in dep["dep_kinds"])
            )
            for node in metadata["resolve"]["nodes"]
            if names[node["id"]] in needed
        }
        self.root = names[metadata["resolve"]["root"]]


def purl(key):
    """The package URL of a crate."""
    return f"pkg:cargo/{key[0]}@{key[1].removeprefix('v')}"


def licences(package):
    """The licence of a crate as SPDX writes it; `/` is how crates once wrote `OR`."""
    if not package["license"]:
        return []
    return [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]


def component(inventory, key):
    """A crate as a component."""
    package = inventory.packages[key]
    found = {
        "type": "library",
        "bom-ref": purl(key),
        "name": package["name"],
        "version": package["version"],
        "scope": "required" if key in inventory.linked else "excluded",
        "licenses": licences(package),
        "purl": purl(key),
    }
    checksum = inventory.checksums[(package["name"], package["version"])]
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return found


def compiler(program):
    """The version of rustc, and so of the standard library, that the program says it is of."""
    section = subprocess.run(
        ["readelf", "--string-dump=.comment", program],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout
    version = re.search(r"rustc version (\S+)", section)
    if not version:
        sys.exit(f"inventory.py: {program} does not say which rustc made it")
    return version[1]


def sbom(program, target):
    """The bill of materials of a program, CycloneDX 1.5."""
    inventory = Inventory(target)
    root = inventory.packages[inventory.root]
    standard = compiler(program)
    standard_ref = f"pkg:generic/rust-std@{standard}"
    when = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.UTC)
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": purl(inventory.root),
                "name": root["name"],
                "version": root["version"],
                "description": root["description"],
                "licenses": licences(root),
                "purl": purl(inventory.root),
                "properties": [{"name": "cargo:target", "value": target}],
            },
        },
        "components": [
            component(inventory, key) for key in sorted(inventory.packages) if key != inventory.root
        ] + [{
            "type": "library",
            "bom-ref": standard_ref,
            "name": "rust-std",
            "version": standard,
            "scope": "required",
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
            "purl": standard_ref,
        }],
        "dependencies": [
            {"ref": purl(key), "dependsOn": [purl(other) for other in edges]
             + ([standard_ref] if key == inventory.root else [])}
            for key, edges in sorted(inventory.edges.items())
        ],
    }
    digest = hashlib.sha256(json.dumps(bom, sort_keys=True).encode()).hexdigest()
    bom["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, digest).urn
    print(json.dumps(bom, indent=1, ensure_ascii=False))


def notices(target):
    """The licences and notices of all that is linked: each text once, with whose it is."""
    inventory = Inventory(target)
    texts = {}
    for key in sorted(inventory.linked - {inventory.root}):
        package = inventory.packages[key]
        folder = pathlib.Path(package["manifest_path"]).parent
        files = [file for file in sorted(folder.iterdir())
                 if NOTICE_NAMES.match(file.name) and file.is_file()]
        print(f"{package['name']} {package['version']}: {package['license'] or 'see below'}"
              + ("" if files else f"; no text in the crate, see {package['repository']}"))
        for file in files:
            if file.stat().st_size > NOTICE_BYTES_MAX:
                sys.exit(f"inventory.py: {file} is over {NOTICE_BYTES_MAX} bytes")
            text = file.read_text(errors="replace").replace("\r\n", "\n").strip()
            texts.setdefault(text, []).append(f"{package['name']} {package['version']} {file.name}")
    for text, files in texts.items():
        print("\n" + "=" * 78)
        print("\n".join(files))
        print("=" * 78 + "\n")
        print(text)


def main():
    """Does what the arguments say."""
    match sys.argv[1:]:
        case ["sbom", program, target]:
            sbom(program, target)
        case ["notices", target]:
            notices(target)
        case _:
            sys.exit(__doc__)


main()

"""YAML files written by people: safe types only, no key twice."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from radgs_core.errors import InputError


class _StrictLoader(yaml.SafeLoader):
    """``yaml.SafeLoader`` that refuses a repeated key, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key_node.value!r} is given twice", key_node.start_mark
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


# YAML 1.1 reads 1e3 as text; people, and YAML 1.2, mean a number
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def read_yaml_mapping(path: Path) -> Mapping[Any, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises:
        InputError: the file is missing or unreadable, is not YAML, repeats a key, or is not a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give the path of a YAML file.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file; give a YAML file in UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}" if error.problem_mark else "it"
        raise InputError(f"{path} is not valid YAML: {error.problem} in {where}; correct the file.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path} is not valid YAML ({type(error).__name__}); correct the file.") from error
    if not isinstance(content, Mapping):
        raise InputError(f"{path} must hold 'key: value' lines, but does not; correct the file.")
    return content

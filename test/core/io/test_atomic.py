import pytest

from radgs_core.errors import InputError
from radgs_core.io.atomic import check_destination, written_atomically


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_at_the_end(tmp_path):
    path = tmp_path / "poses.nii.gz"
    with written_atomically(path) as temporary:
        temporary.write_text("new")
        assert temporary.name == path.name
        assert not path.exists()
    assert path.read_text() == "new"
    assert names_in(tmp_path) == ["poses.nii.gz"]


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "poses.json"
    path.write_text("old")
    with written_atomically(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names_in(tmp_path) == ["poses.json"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, InputError])
def test_a_failure_leaves_everything_as_it_was(tmp_path, failure):
    path = tmp_path / "poses.json"
    path.write_text("old")
    with pytest.raises(failure), written_atomically(path) as temporary:
        temporary.write_text("half")
        raise failure("stop")
    with pytest.raises(failure), written_atomically(tmp_path / "a" / "b" / "case") as temporary:
        temporary.mkdir()
        (temporary / "half").write_text("half")
        raise failure("stop")
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["poses.json"]


def test_missing_parents_are_created(tmp_path):
    with written_atomically(tmp_path / "a" / "b" / "poses.json") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a" / "b" / "poses.json").read_text() == "new"


def test_a_folder_of_ours_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "case"
    path.mkdir()
    for content in (("case.json", "T12"), ("case.json", "L1")):
        with written_atomically(path, replaces_folder_with="case.json") as temporary:
            temporary.mkdir()
            for name in content:
                (temporary / name).write_text(name)
        assert names_in(path) == sorted(content)
    assert names_in(tmp_path) == ["case"]


def test_a_folder_with_other_things_is_not_replaced(tmp_path, refused):
    path = tmp_path / "home"
    path.mkdir()
    (path / "thesis.tex").write_text("years of work")
    for marker in (None, "case.json"):
        with refused(path, "choose another output path"), written_atomically(path, marker):
            pytest.fail("the block must not run")
    assert names_in(path) == ["thesis.tex"]


def test_a_file_does_not_replace_a_folder(tmp_path, refused):
    with refused(tmp_path, "is a folder"), written_atomically(tmp_path):
        pytest.fail("the block must not run")
    assert tmp_path.is_dir()


@pytest.mark.parametrize("marker", [None, "case.json"])
def test_a_destination_is_checked_before_any_work(tmp_path, refused, marker):
    """The same refusals, and nothing is created."""
    check_destination(tmp_path / "a" / "b" / "out", marker)
    (tmp_path / "file").write_text("")
    with refused(tmp_path / "file" / "out", "cannot be written"):
        check_destination(tmp_path / "file" / "out", marker)
    with refused(tmp_path, "choose another output path"):
        check_destination(tmp_path, marker)
    assert names_in(tmp_path) == ["file"]


def test_a_folder_does_not_replace_a_file(tmp_path, refused):
    (tmp_path / "file").write_text("mine")
    with refused(tmp_path / "file", "is a file"):
        check_destination(tmp_path / "file", "case.json")
    check_destination(tmp_path / "file")  # by a file, though


def test_what_the_file_system_refuses_is_an_input_error(tmp_path, refused):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "poses.json"
    with refused(path, "cannot be written"), written_atomically(path):
        pytest.fail("the block must not run")
    path = tmp_path / "poses.json"
    with refused(path, "No space left", "free space"), written_atomically(path) as temporary:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")
    assert names_in(tmp_path) == ["file"]

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from radgs_core.acquisition.tf_tree import TransformTree, TransformUnavailable
from radgs_core.registration.pipeline import InputError, inverse

S = 1_000_000_000


def transform(x: float = 0.0, y: float = 0.0, z: float = 0.0, about_z_deg: float = 0.0) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("z", about_z_deg, degrees=True).as_matrix()
    matrix[:3, 3] = [x, y, z]
    return matrix


def test_a_static_transform_holds_at_any_stamp():
    tree = TransformTree()
    tree.insert_static("base", "ap", transform(1, 2, 3, 40))
    for stamp in (1, 5 * S, 900 * S):
        np.testing.assert_allclose(tree.lookup("base", "ap", stamp), transform(1, 2, 3, 40))


def test_lookups_go_up_and_down_the_tree():
    tree = TransformTree()
    T_room_carm, T_carm_ap = transform(1, 0, 0, 90), transform(0, 2, 0, 30)
    T_room_table, T_table_robot = transform(-4, 1, 1, -60), transform(0, 0, 7, 10)
    tree.insert_static("room", "carm", T_room_carm)
    tree.insert_static("carm", "ap", T_carm_ap)
    tree.insert_static("room", "table", T_room_table)
    tree.insert_static("table", "robot", T_table_robot)
    expected = inverse(T_room_table @ T_table_robot) @ T_room_carm @ T_carm_ap
    np.testing.assert_allclose(tree.lookup("robot", "ap", S), expected, atol=1e-12)
    np.testing.assert_allclose(tree.lookup("ap", "robot", S), inverse(expected), atol=1e-12)
    np.testing.assert_allclose(tree.lookup("ap", "ap", S), np.eye(4))


def test_between_samples_translation_and_rotation_are_interpolated():
    tree = TransformTree()
    tree.insert("base", "ap", 2 * S, transform(10, 0, 0, 0))
    tree.insert("base", "ap", 4 * S, transform(20, -4, 0, 90))
    np.testing.assert_allclose(tree.lookup("base", "ap", int(2.5 * S)), transform(12.5, -1, 0, 22.5), atol=1e-12)
    np.testing.assert_allclose(tree.lookup("base", "ap", 4 * S), transform(20, -4, 0, 90), atol=1e-12)


def test_samples_may_come_in_any_order():
    tree = TransformTree()
    for second in (3, 1, 2):
        tree.insert("base", "ap", second * S, transform(x=second))
    assert tree.lookup("base", "ap", int(1.5 * S))[0, 3] == pytest.approx(1.5)
    assert tree.lookup("base", "ap", int(2.5 * S))[0, 3] == pytest.approx(2.5)


@pytest.mark.parametrize("stamp", [2 * S - 1, 4 * S + 1])
def test_nothing_is_extrapolated(stamp):
    tree = TransformTree()
    tree.insert("base", "ap", 2 * S, transform())
    tree.insert("base", "ap", 4 * S, transform())
    with pytest.raises(TransformUnavailable, match=r"base <- ap is known from 2\.0+ s to 4\.0+ s"):
        tree.lookup("base", "ap", stamp)


def test_old_samples_are_forgotten():
    tree = TransformTree(cache_s=10.0)
    for second in range(30):
        tree.insert("base", "ap", second * S, transform(x=second))
    assert tree.lookup("base", "ap", 19 * S)[0, 3] == 19
    with pytest.raises(TransformUnavailable) as forgotten:
        tree.lookup("base", "ap", 18 * S)
    assert str(forgotten.value) == (
        "the transform base <- ap is needed at 18.000000000 s, but what is older than 10 s TF forgets; take the X-rays,"
        " or send the initialpose, anew."
    )


def test_what_has_not_come_yet_can_still_be_sent():
    tree = TransformTree(cache_s=10.0)
    tree.insert("base", "ap", 28 * S, transform())
    with pytest.raises(TransformUnavailable, match="publish it at the image's stamp"):
        tree.lookup("base", "ap", 18 * S)
    tree.insert("base", "ap", 18 * S, transform(x=18))
    assert tree.lookup("base", "ap", 18 * S)[0, 3] == 18


def test_a_new_parent_replaces_the_old_one():
    tree = TransformTree()
    tree.insert("base", "ap", S, transform(x=1))
    tree.insert("room", "ap", 2 * S, transform(x=5))
    assert tree.lookup("room", "ap", 2 * S)[0, 3] == 5
    with pytest.raises(TransformUnavailable, match="nobody publishes base"):
        tree.lookup("base", "ap", S)


def test_unknown_frames_are_named():
    tree = TransformTree()
    tree.insert_static("base", "ap", transform())
    with pytest.raises(TransformUnavailable, match=r"base <- lateral.*nobody publishes lateral"):
        tree.lookup("base", "lateral", S)


def test_separate_trees_are_told_from_unknown_frames():
    tree = TransformTree()
    tree.insert_static("base", "ap", transform())
    tree.insert_static("room", "robot", transform())
    with pytest.raises(TransformUnavailable, match=r"robot <- ap.*separate trees"):
        tree.lookup("robot", "ap", S)


def test_a_loop_is_an_error_and_not_a_hang():
    tree = TransformTree()
    tree.insert_static("a", "b", transform())
    tree.insert_static("b", "a", transform())
    with pytest.raises(TransformUnavailable, match="loop"):
        tree.lookup("c", "a", S)


@pytest.mark.parametrize(("parent", "child"), [("base", "base"), ("", "ap"), ("base", "")])
def test_impossible_edges_are_refused(parent, child):
    with pytest.raises(InputError):
        TransformTree().insert_static(parent, child, transform())
    with pytest.raises(InputError):
        TransformTree().insert(parent, child, 0, transform())


def test_what_is_forgotten_is_unknown():
    tree = TransformTree()
    tree.insert_static("base", "ap", transform())
    tree.insert("base", "lateral", S, transform())
    for frame in ("ap", "lateral"):
        tree.lookup("base", frame, S)
        tree.forget(frame)
        with pytest.raises(TransformUnavailable, match=f"nobody publishes.* {frame}"):
            tree.lookup("base", frame, S)
    tree.forget("never_known")


def test_a_leading_slash_does_not_make_another_frame():
    tree = TransformTree()
    tree.insert_static("/base", "ap", transform(x=2))
    assert tree.lookup("base", "/ap", S)[0, 3] == 2

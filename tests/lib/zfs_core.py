"""Many datasets and snapshots at once, by the library that zfs(8) itself uses: a process for each would take most of
a test's time.  Only for preparing; what is tested uses the commands."""

import concurrent.futures
import ctypes

core = ctypes.CDLL("libzfs_core.so.3")
pairs = ctypes.CDLL("libnvpair.so.3")
assert core.libzfs_core_init() == 0
FILESYSTEM = 2


def create(names):
    """Parents first among calls; in one call they are made in no order, many in one transaction group."""
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        codes = list(pool.map(lambda name: core.lzc_create(name.encode(), FILESYSTEM, None, None, 0), names))
    assert not any(codes), codes


def snapshot(names):
    """All of them at one instant; of one pool."""
    wanted, errors = ctypes.c_void_p(), ctypes.c_void_p()
    assert pairs.nvlist_alloc(ctypes.byref(wanted), 1, 0) == 0
    for name in names:
        assert pairs.nvlist_add_boolean(wanted, name.encode()) == 0
    code = core.lzc_snapshot(wanted, None, ctypes.byref(errors))
    pairs.nvlist_free(wanted)
    pairs.nvlist_free(errors)
    assert code == 0, code

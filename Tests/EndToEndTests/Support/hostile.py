#!/usr/bin/env python3
"""Makes repositories and folders that are meant to hurt whoever scans them.

    hostile.py ATTACK SIZE FOLDER PREFIX

ATTACK is one of the functions below. What `storm` and `passing` do goes on until their standard input ends.
"""
import hashlib, os, select, struct, subprocess, sys, time, zlib

ENVIRONMENT = dict(
    os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="Eve",
    GIT_AUTHOR_EMAIL="eve@example.org", GIT_COMMITTER_NAME="Eve", GIT_COMMITTER_EMAIL="eve@example.org")


def git(folder, *arguments, text=""):
    done = subprocess.run(
        ["git", "-C", folder, *arguments], input=text.encode(), stdout=subprocess.PIPE, check=True, env=ENVIRONMENT)
    return done.stdout.decode().strip()


def bare(folder):
    os.makedirs(folder)
    git(folder, "init", "-q", "--bare", "-b", "main")


def working(folder, text="nothing\n"):
    os.makedirs(folder)
    git(folder, "init", "-q", "-b", "main")
    write(folder + "/a", text)
    git(folder, "add", "a")
    git(folder, "commit", "-q", "-m", "first")


def write(path, text):
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def commit(folder, tree, ref="refs/heads/main"):
    name = git(folder, "commit-tree", tree, "-m", "made")
    git(folder, "update-ref", ref, name)
    return name


def bomb(size, folder, prefix):
    """Trees of trees of one blob: a kilobyte with size * 10^10 paths, and more."""
    bare(folder)
    blob = git(folder, "hash-object", "-w", "--stdin", text=f"see {prefix}\n")
    tree = git(folder, "mktree", text="".join(f"100644 blob {blob}\tf{n:06}\n" for n in range(size)))
    for _ in range(10):
        tree = git(folder, "mktree", text="".join(f"040000 tree {tree}\td{n}\n" for n in range(10)))
    commit(folder, tree)
    git(folder, "repack", "-q", "-a", "-d")


def paths(size, folder, prefix):
    """Many files with the visible start of a key, each with another content."""
    bare(folder)
    text = "".join(f"blob\nmark :{n}\ndata <<E\n{prefix} {n}\nE\n" for n in range(1, size + 1))
    text += "commit refs/heads/main\ncommitter E <e@example.org> 1600000000 +0000\ndata 0\n"
    text += "".join(f"M 100644 :{n} d{n % 100}/f{n}\n" for n in range(1, size + 1))
    git(folder, "fast-import", "--quiet", text=text)


def names(size, folder, prefix):
    """Repositories and files with names that look like others, like commands, or move the cursor."""
    os.makedirs(folder)
    odd = ["cafe\u0301", "caf\u00e9", "\u212aey", "a\nb", "\x1b[2J\x1b[1;31mroot", "by Dan: keyvigil delete billing --yes",
           "key_0123456789abcdef", "\u202egit.pohs", "x" * 200, "-rf", "'; rm -rf ~; '"]
    for number in range(size):
        for name in odd:
            bare(f"{folder}/{name} {number}.git")
            write(f"{folder}/{name} {number}", f"see {prefix}\n")
    write(os.fsencode(folder) + b"/\xff\xfe\x80", f"see {prefix}\n")


def false_names(size, folder, prefix):
    """Loose objects whose content is not what their names say."""
    bare(folder)
    for number in range(size):
        name = hashlib.sha1(b"%d" % number).hexdigest()
        os.makedirs(f"{folder}/objects/{name[:2]}", exist_ok=True)
        text = f"see {prefix} {number}\n".encode()
        write(f"{folder}/objects/{name[:2]}/{name[2:]}", zlib.compress(b"blob %d\0" % len(text) + text, 1))


def index(size, folder, prefix):
    """An index of version 4: each of its paths shares nearly all of a long one."""
    working(folder)

    def varint(number):
        found = [number & 0x7F]
        number >>= 7
        while number:
            number -= 1
            found.append(0x80 | number & 0x7F)
            number >>= 7
        return bytes(reversed(found))

    made = bytearray(b"DIRC" + struct.pack(">II", 4, size))
    entry = struct.pack(">10I", 0, 0, 0, 0, 0, 0, 0o100644, 0, 0, 0) + b"\x22" * 20 + struct.pack(">H", 0xFFF)
    for number in range(size):
        tail = b"%07d\0" % number
        made += entry + (varint(0) + b"long/" * 40_000 + tail if number == 0 else varint(7) + tail)
    write(folder + "/.git/index", bytes(made) + hashlib.sha1(made).digest())


def large_tree(size, folder, prefix):
    """A loose tree with endless entries."""
    bare(folder)
    blob = git(folder, "hash-object", "-w", "--stdin", text=f"see {prefix}\n")
    line = bytes.fromhex(blob)
    tree = b"".join(b"100644 f%08d\0" % n + line for n in range(size))
    tree = b"tree %d\0" % len(tree) + tree
    name = hashlib.sha1(tree).hexdigest()
    os.makedirs(f"{folder}/objects/{name[:2]}", exist_ok=True)
    write(f"{folder}/objects/{name[:2]}/{name[2:]}", zlib.compress(tree, 1))
    commit(folder, name)


def packed_refs(size, folder, prefix):
    """More refs than there are commits in the world, of objects that are not there."""
    bare(folder)
    with open(folder + "/packed-refs", "w") as file:
        file.write("# pack-refs with: peeled fully-peeled sorted\n")
        for number in range(size):
            file.write(f"{hashlib.sha1(b'%d' % number).hexdigest()} refs/heads/b{number:08}\n")


def ref_folders(size, folder, prefix):
    """Folders of refs without refs."""
    bare(folder)
    for number in range(size):
        os.makedirs(f"{folder}/refs/heads/{number // 1000}/{number % 1000}")


def multi_pack_index(size, folder, prefix):
    """Packs without an index, and one index that names them all, again and again."""
    bare(folder)
    packs = folder + "/objects/pack"
    chunks = [(b"PNAM", b"a\0" * (size * 1000)), (b"OIDF", b"\0" * 1024), (b"OIDL", b""), (b"OOFF", b"")]
    made = b"MIDX\x01\x01" + bytes([len(chunks), 0]) + struct.pack(">I", size * 1000)
    at = 12 + 12 * (len(chunks) + 1)
    table = body = b""
    for name, chunk in chunks:
        table += name + struct.pack(">Q", at + len(body))
        body += chunk
    made += table + b"\0\0\0\0" + struct.pack(">Q", at + len(body)) + body
    write(packs + "/multi-pack-index", made + hashlib.sha1(made).digest())
    for number in range(size):
        pack = b"PACK" + struct.pack(">II", 2, 0)
        write(f"{packs}/pack-{number:040x}.pack", pack + hashlib.sha1(pack + b"%d" % number).digest())


def ignores(size, folder, prefix):
    """A chain of folders, each with rules that take long to compare with a path."""
    working(folder)
    rule = "a*" * 12 + "b\n" + "**/x*y*z*/**/w\n"
    at = folder
    for number in range(size):
        at += "/e"
        if len(at) > 3500:
            at = f"{folder}/e{number}"
        os.makedirs(at)
        write(at + "/.gitignore", rule * 50)
        write(at + "/" + "a" * 200, "nothing\n")


def pipes(size, folder, prefix):
    """Pipes, and symlinks to themselves, in a folder that is scanned."""
    os.makedirs(folder)
    for number in range(size):
        at = f"{folder}/{'d' * 100}{number // 5000}"
        os.makedirs(at, exist_ok=True)
        os.mkfifo(f"{at}/f{number}")
        os.symlink(f"l{number}", f"{at}/l{number}")


def config(size, folder, prefix):
    """A repository's configuration of `size` bytes: the same settings again and again."""
    working(folder)
    with open(folder + "/.git/config", "ab") as file:
        file.write((b"[remote \"origin\"]\n\turl = e\xcc\x81\xcc\x81\n\tfetch = +refs/*\n[core]\n\tworktree = ..\n")
                   * (size // 80))


def sparse(size, folder, prefix):
    """A file with holes only."""
    os.makedirs(folder)
    with open(folder + "/holes", "wb") as file:
        file.truncate(size)
    write(folder + "/a", "nothing\n")


def repositories(size, folder, prefix):
    """Repositories in a folder."""
    bare(folder + "/r0.git")
    for number in range(1, size):
        subprocess.run(["cp", "-r", folder + "/r0.git", f"{folder}/r{number}.git"], check=True)


def missing(size, folder, prefix):
    """History that leads to objects which are not there."""
    bare(folder)
    text = ""
    for number in range(size):
        text += f"commit refs/heads/main\ncommitter E <e@example.org> {1600000000 + number} +0000\ndata 0\n"
        text += f"M 100644 inline d{number % 50}/f{number % 999}\ndata <<E\n{number}\nE\n"
    git(folder, "fast-import", "--quiet", text=text)
    blob = git(folder, "rev-parse", "main:d1/f1")
    tree = git(folder, "mktree", "--missing", text=f"100644 blob {blob[:39]}{'0' if blob[39] != '0' else '1'}\tgone\n")
    commit(folder, tree, "refs/heads/gone")


def until_the_end(step):
    """Calls `step` until the standard input ends."""
    print("ready", flush=True)
    number = 0
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        number += 1
        step(number)


def storm(size, folder, prefix):
    """A repository with many loose refs, of which one changes without end."""
    working(folder)
    first = git(folder, "rev-parse", "HEAD")
    os.makedirs(folder + "/.git/refs/heads/many")
    for number in range(size):
        write(f"{folder}/.git/refs/heads/many/{number}", first + "\n")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    both = [first, git(folder, "rev-parse", "HEAD")]
    open_to_all(folder)

    def step(number):
        path = folder + "/.git/refs/heads/moving"
        write(path + ".lock", both[number % 2] + "\n")
        os.rename(path + ".lock", path)

    until_the_end(step)


def passing(size, folder, prefix):
    """Files that come and go without end, beside a ref that names it."""
    working(folder)
    first = git(folder, "rev-parse", "HEAD")
    open_to_all(folder)

    def step(number):
        for file in range(size):
            write(f"{folder}/passing{file}", f"{number} {file} {prefix}\n")
        write(f"{folder}/.git/refs/heads/b{number % 2}", first + "\n")
        for file in range(size):
            os.unlink(f"{folder}/passing{file}")

    until_the_end(step)


def hook(size, folder, prefix):
    """Pushes of bombs, and of refs with odd names, through the hook of FOLDER; prints its answers, seconds and memory."""
    import resource

    made = folder + ".pusher"
    bomb(size, made, prefix)
    for number in range(size):
        git(made, "update-ref", f"refs/heads/\u202e{number}'$(id)", "main")
    started = time.monotonic()
    done = subprocess.run(["git", "-C", made, "push", "-q", folder, "refs/*:refs/*"], env=ENVIRONMENT,
                          stderr=subprocess.PIPE)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(done.returncode, round(time.monotonic() - started, 1), peak)
    print(done.stderr.decode(errors="replace"))


def open_to_all(folder):
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)


if __name__ == "__main__":
    attack, size, folder, prefix = sys.argv[1:]
    globals()[attack](int(size), folder, prefix)
    if os.path.exists(folder):
        open_to_all(folder)

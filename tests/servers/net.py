"""Free ports, and servers that have to be waited for. Standard library only.

    net.py ports N              prints N free ports of 127.0.0.1
    net.py wait SECONDS URL...  until every URL gives an HTTP answer of any kind
"""

import socket
import sys
import time
import urllib.error
import urllib.request


def ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for it in sockets:
        it.bind(("127.0.0.1", 0))
    print(*(it.getsockname()[1] for it in sockets))
    for it in sockets:
        it.close()


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait(seconds, urls):
    until = time.monotonic() + seconds
    for url in urls:
        while not answers(url):
            if time.monotonic() > until:
                sys.exit(f"{url} does not answer after {seconds} s")
            time.sleep(0.1)


if sys.argv[1] == "ports":
    ports(int(sys.argv[2]))
else:
    wait(float(sys.argv[2]), sys.argv[3:])

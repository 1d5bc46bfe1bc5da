"""TLS before a server that has none, as a reverse proxy puts it there."""

import asyncio
import contextlib
import ssl
import threading
from pathlib import Path


class TLSFront:
    """Ends TLS for `localhost` on a port of the system's choice and passes the bytes on to another port."""

    def __init__(self, port: int, certificate: Path, key: Path) -> None:
        self.target = port
        self.connections = 0
        """So many have come through."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def __enter__(self) -> "TLSFront":
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    @property
    def authority(self) -> str:
        return f"localhost:{self.server.sockets[0].getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"https://{self.authority}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self.copy(reader, target_writer), self.copy(target_reader, writer))

    @staticmethod
    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes on until the source ends, then ends the other side too."""
        with contextlib.suppress(OSError):
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        writer.close()

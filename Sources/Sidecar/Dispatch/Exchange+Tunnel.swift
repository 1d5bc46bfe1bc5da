internal import NIOCore
internal import Wire

/// Upgraded connections: bytes pass both ways, unread.
extension Exchange {
    var isTunnel: Bool { answer?.mode == .tunnel }

    func openTunnel() {
        guard let answer else { return }
        record.status = answer.head.status
        let written = ClientResponseHead(
            head: answer.head,
            bytes: answer.bytes,
            keepsAlive: true,
            isForHTTP10: false,
            notes: notes
        )
        client.write(written.written(roomBehind: 0))
        client.flush()
        client.switchToTunnel()
    }

    /// Bytes from the upstream.
    func tunnelReceived(_ bytes: ByteBuffer) {
        wasTouched = true
        record.bytesOut += bytes.readableBytes
        client.write(bytes)
    }

    /// Bytes from the client.
    func tunnelSent(_ bytes: ByteBuffer) {
        wasTouched = true
        record.bytesIn += bytes.readableBytes
        attempt?.connection?.write(bytes)
    }

    func tunnelInputClosed() {
        attempt?.connection?.closeOutput()
    }

    func endTunnel() {
        end(keepsAlive: false)
    }
}

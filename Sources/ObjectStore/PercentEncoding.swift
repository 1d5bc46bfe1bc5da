/// Percent-encoding as AWS Signature Version 4 wants it.
///
/// Only the unreserved characters of RFC 3986, section 2.3, stay as they are; digits are upper case. Source: "Create a
/// canonical request", `UriEncode()`, in the Amazon S3 API Reference.
enum PercentEncoding {
    /// A name or a value of a query.
    static func append(component: String, to text: inout String) {
        append(component, to: &text, keeping: nil)
    }

    /// A path: its slashes stay.
    static func append(path: String, to text: inout String) {
        append(path, to: &text, keeping: UInt8(ascii: "/"))
    }

    static func component(_ text: String) -> String {
        var encoded = ""
        append(component: text, to: &encoded)
        return encoded
    }

    private static func append(_ source: String, to text: inout String, keeping kept: UInt8?) {
        // Nearly every text of ours has nothing to encode.
        guard !source.utf8.allSatisfy({ isUnreserved($0) || $0 == kept }) else {
            text += source
            return
        }
        for byte in source.utf8 {
            if isUnreserved(byte) || byte == kept {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += byte < 16 ? "%0" + digits : "%" + digits
            }
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}

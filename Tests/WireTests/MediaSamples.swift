import Testing
import Wire

/// The start of a file of each kind, as Pillow 13 (and pillow-heif 1.8 for HEIC) writes it.
struct MediaSample: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var header: ImageHeader
    var base64: String

    init(_ name: String, _ header: ImageHeader, _ base64: String) {
        testDescription = name
        self.header = header
        self.base64 = base64
    }

    static let all = [
        MediaSample(
            "PNG",
            ImageHeader(kind: .png, width: 258, height: 772),
            """
            iVBORw0KGgoAAAANSUhEUgAAAQIAAAMECAIAAADb67wzAAAGiklEQVR4nO3TMQ0AIADAsIEQlOA/yEIGB62CPRtn7eBv83UA\
            vGcDsAHYALIBZAPIBpANIBtANoBsANkA
            """
        ),
        MediaSample(
            "baseline JPEG",
            ImageHeader(kind: .jpeg, width: 301, height: 207),
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L\
            2u71////m8H////6/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4\
            +Pj4+Pj4+Pj4+Pj4+Pj/wAARCADPAS0DASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAA\
            AgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6\
            Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXG\
            x8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREA\
            AgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5\
            OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPE\
            xcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwCt
            """
        ),
        MediaSample(
            "progressive JPEG",
            ImageHeader(kind: .jpeg, width: 302, height: 208),
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L\
            2u71////m8H////6/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4\
            +Pj4+Pj4+Pj4+Pj4+Pj/wgARCADQAS4DASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAWAQEBAQAAAAAAAAAA\
            AAAAAAAAAgP/2gAMAwEAAhADEAAAAZCdwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
            AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
            AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP/xAAUEAEA\
            AAAAAAAAAAAAAAAAAACQ/9oACAEBAAEFAnc//8QAFBEBAAAAAAAAAAAAAAAAAAAAcP/aAAgBAwEBPwF3/8QAFBEBAAAAAAAA\
            AAAAAAAAAAAAcP/aAAgBAgEBPwF3/8QAFBABAAAAAAAAAAAAAAAAAAAAkP/aAAgBAQAGPwJ3P//EABQQAQAAAAAAAAAAAAAA\
            AAAAAJD/2gAIAQEAAT8hdz//2gAMAwEAAgADAAAAEP8A/wD/AP8A/wD/AP8A/wD/
            """
        ),
        MediaSample(
            "GIF",
            ImageHeader(kind: .gif, width: 303, height: 209),
            """
            R0lGODdhLwHRAIEAAMgePAAAAAAAAAAAACwAAAAALwHRAEAI/wABCBxIsKDBgwgTKlzIsKHDhxAjSpxIsaLFixgzatzIsaPH\
            jyBDihxJsqTJkyhTqlzJsqXLlzBjypxJ
            """
        ),
        MediaSample(
            "lossy WebP",
            ImageHeader(kind: .webp, width: 304, height: 210),
            """
            UklGRugAAABXRUJQVlA4INwAAAAQEgCdASowAdIAP3G42WW0ryunICgCkC4JaW7hd2EHwOAAnsA99snIe+2TkPfbJyHvtk5D\
            32ych77ZOQ99snIe+2TkghYE5D32ych7
            """
        ),
        MediaSample(
            "lossless WebP",
            ImageHeader(kind: .webp, width: 305, height: 211),
            """
            UklGRiYAAABXRUJQVlA4TBoAAAAvMIE0AAdQjyKXp/8BgUCyP/oCRfQ/4z//Lw==
            """
        ),
        MediaSample(
            "extended WebP",
            ImageHeader(kind: .webp, width: 306, height: 212),
            """
            UklGRhgBAABXRUJQVlA4WAoAAAAIAAAAMQEA0wAAVlA4IOQAAADQEgCdASoyAdQAP3G42WW0ryunICgCkC4JaW7hd2EHwUAA\
            nsA99snIe+2TkPfbJyHvtk5D32ych77Z
            """
        ),
        MediaSample(
            "BMP",
            ImageHeader(kind: .bmp, width: 67, height: 33),
            """
            Qk3KAQAAAAAAAD4AAAAoAAAAQwAAACEAAAABAAEAAAAAAIwBAADEDgAAxA4AAAIAAAACAAAAAAAAAP///wAAAAAAAAAAAAAA\
            AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
            """
        ),
        MediaSample(
            "AVIF",
            ImageHeader(kind: .avif, width: 307, height: 213),
            """
            AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAA\
            AAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAASgAAAChpaW5mAAAAAAABAAAAGmluZmUC\
            AAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAABMwAAANUAAAAQcGl4aQAAAAADCAgIAAAA\
            DGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAUm1kYXQSAAoKGCHmWo0QENBo\
            QDI6E7Hh4VZ3///4sAuAz8opx5WQUHLCWLqaVQ+YysrHSnMd21uob3EY44LyymzNrphV+ERGWWO+9rQCwA==
            """
        ),
        MediaSample(
            "HEIC",
            ImageHeader(kind: .heic, width: 308, height: 214),
            """
            AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVdtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA\
            AAAAACJpbG9jAAAAAERAAAEAAQAAAAABewABAAAAAAAAAE8AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAA\
            AA5waXRtAAAAAAABAAAA12lwcnAAAAC4aXBjbwAAAHlodmNDAQNwAAAAkAAAAAAAPPAA/P34+AAADwNgAAEAGEABDAH//wNw\
            AAADAJAAAAMAAAMAPLoCQGEAAQAsQgEBA3AAAAMAkAAAAwAAAwA8oAnIDZ3WW6kkprm4CGgwIAAAAwMgAAADACFiAAEAB0QB\
            wXKwYkAAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAABNAAAANYAAAAQcGl4aQAAAAADCAgIAAAAF2lwbWEAAAAA\
            AAAAAQABBIECAwQAAABXbWRhdAAAAEsoAa8EEhcLVPx5OOv/+RDPhQFwXhG/sE5nR3ApgAAAEhCn6O4GYMU9AAADAbWTDTTA\
            AAADAABewIcAAAMAAAMAAAMAAAMAAAMABGw=
            """
        ),
    ]
}

internal import CSidecar
internal import FoundationEssentials
internal import NIOHTTP1
internal import ObjectStore

/// The page for people: `GET /` of the admin listener.
///
/// It holds no figures: its script asks `/status` and `/requests` for them, with the token. Whatever comes from there is
/// put in as text, and the policy lets nothing run but what is part of the page.
struct StatusPage: Sendable {
    let html: String
    /// Changes with the page (RFC 9110, section 8.8.3).
    let tag: String
    /// The Content-Security-Policy that names the style and the script of the page by their digests (CSP 3, section
    /// 2.3.1).
    let policy: String

    /// The page of this build; put together at the first use.
    static let built = StatusPage(
        frame: String(cString: sidecar_status_page_html_text()),
        style: String(cString: sidecar_status_page_css_text()),
        script: String(cString: sidecar_status_page_js_text())
    )

    /// - Parameter frame: has the places of the two others, `/*style*/` and `/*script*/`.
    init(frame: String, style: String, script: String) {
        html = frame.replacing("/*style*/", with: style).replacing("/*script*/", with: script)
        tag = "\"\(ContentDigest(ofText: html).hexadecimal.prefix(16))\""
        policy = [
            "default-src 'none'", "style-src '\(Self.source(style))'", "script-src '\(Self.source(script))'",
            "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'",
            "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
        ].joined(separator: "; ")
    }

    private static func source(_ text: String) -> String {
        "sha256-\(Data(ContentDigest(ofText: text).bytes).base64EncodedString())"
    }
}

extension AdminPages {
    /// The page, or 304 for whoever has it.
    func statusPage(_ head: HTTPRequestHead) -> AdminPage {
        let page = StatusPage.built
        var headers: HTTPHeaders = [
            // The page has no data in it; a new version is asked for each time that it is opened.
            "cache-control": "no-cache", "etag": page.tag, "content-security-policy": page.policy,
            "referrer-policy": "no-referrer",
        ]
        if head.headers[canonicalForm: "if-none-match"].contains(where: { $0 == page.tag }) {
            return AdminPage(status: .notModified, body: "", headers: headers)
        }
        headers.add(name: "x-frame-options", value: "DENY")
        return AdminPage(contentType: "text/html; charset=utf-8", body: page.html, headers: headers)
    }
}

extension AdminRequest {
    /// Whether a page of another site has sent it.
    ///
    /// A browser sends such a POST without asking, and where no token is set nothing else would stop it. Every browser
    /// states the site (W3C Fetch Metadata) or the origin; programs state neither.
    var comesFromElsewhere: Bool {
        if let site = head.headers.first(name: "sec-fetch-site") {
            return !["same-origin", "none"].contains(site)
        }
        guard let origin = head.headers.first(name: "origin") else { return false }
        let host = head.headers.first(name: "host") ?? ""
        return origin != "http://\(host)" && origin != "https://\(host)"
    }
}

extension AdminPage {
    static let foreign = AdminPage(
        status: .forbidden,
        body: "a page of another site may not do this\n"
    )
}

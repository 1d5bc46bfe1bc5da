extension ImageScan {
    /// What an object is.
    enum Verdict {
        case noImage
        case unclear
        case image(ImageContent, ImageSlot)
    }

    /// Tells what an object is whose members have all been read.
    func judge(_ part: ImagePart) -> Verdict {
        guard let payload = part.payload, shape.payloads.contains(payload.member) else { return .noImage }
        let verdict =
            switch payload.member {
            case .imageURL: judgeURL(part.strings, payload)
            case .source: judgeSource(part.strings, payload)
            default: judgeBlob(payload)
            }
        guard case .image = verdict else { return verdict }
        let isAmbiguous = part.isAmbiguous || part.strings.isAmbiguous || payload.strings.isAmbiguous
        return isAmbiguous ? .unclear : verdict
    }

    /// `{"type":"image_url","image_url":{"url":…}}` of chats, `{"type":"input_image","image_url":…}` of
    /// Responses.
    ///
    /// LiteLLM takes a chat's `image_url` as a string too.
    private func judgeURL(_ strings: ImageStrings, _ payload: ImagePayload) -> Verdict {
        if let type = strings.type?.value {
            guard isKey(type, "image_url") || isKey(type, "input_image") else { return .unclear }
        }
        guard let text = payload.text ?? payload.strings.url?.value else { return .unclear }
        return judgeText(text, mediaType: nil, .text(text.range))
    }

    /// `{"type":"image","source":…}` of Anthropic; documents have a `source` too.
    private func judgeSource(_ strings: ImageStrings, _ payload: ImagePayload) -> Verdict {
        guard let type = strings.type?.value, isKey(type, "image") else { return .noImage }
        guard let form = payload.strings.type?.value else { return .unclear }
        if isKey(form, "url"), let url = payload.strings.url?.value {
            return judgeText(url, mediaType: nil, .source(payload.value, address: url))
        }
        guard isKey(form, "base64"), let data = payload.strings.data?.value else { return .unclear }
        let mediaType = payload.strings.mediaType?.value.string(in: document)
        return .image(.base64(data, mediaType: mediaType), .source(payload.value, address: nil))
    }

    /// `inlineData` and `fileData` of Gemini, which carry sound, films and documents as well.
    private func judgeBlob(_ payload: ImagePayload) -> Verdict {
        guard let type = payload.strings.mimeType?.value else { return .unclear }
        guard type.hasPrefix("image/", in: document) else { return .noImage }
        guard let blob = GeminiBlob(payload, in: document) else { return .unclear }
        let mediaType = type.string(in: document)
        if blob.isInline { return .image(.base64(blob.value, mediaType: mediaType), .blob(blob)) }
        return judgeText(blob.value, mediaType: mediaType, .blob(blob))
    }

    private func judgeText(_ text: JSONText, mediaType: String?, _ slot: ImageSlot) -> Verdict {
        guard let content = ImageContent.read(text, mediaType: mediaType, in: document) else {
            return .unclear
        }
        return .image(content, slot)
    }
}

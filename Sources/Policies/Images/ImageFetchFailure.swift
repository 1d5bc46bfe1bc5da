/// Tells an answer that says that an image's address could not be fetched.
///
/// The same image within the request may well be taken. Asked only where the request had such addresses, since the
/// words are those of clients' mistakes too.
public enum ImageFetchFailure {
    /// In lower case.
    ///
    /// LiteLLM's own (`litellm_core_utils/prompt_templates/image_handling.py`: "Unable to fetch image from URL",
    /// "user_url_allowed_hosts"); OpenAI's `invalid_image_url`, "Error while downloading", "Timeout while
    /// downloading", "Failed to download image"; Anthropic's "Unable to download the file"; Google's "Cannot fetch
    /// content from the provided URL".
    private static let words = [
        "unable to fetch image", "user_url_allowed_hosts", "invalid_image_url", "error while downloading",
        "timeout while downloading", "failed to download image", "unable to download the file",
        "cannot fetch content from the provided url",
    ]

    /// - Parameters:
    ///   - status: of the answer.
    ///   - message: of its error.
    ///   - code: of its error.
    public static func isStated(status: Int, message: String, code: String) -> Bool {
        guard (400..<500).contains(status) || status == 500 else { return false }
        let text = (message + " " + code).lowercased()
        return words.contains { text.contains($0) }
    }
}

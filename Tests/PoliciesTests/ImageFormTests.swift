import Policies
import Testing

@Suite("A target gets images as it is known to take them")
struct ImageFormTests {
    @Test(
        "an address only where the model is said to take one, and nothing speaks against it",
        arguments: [
            (.url, true, false, .url), (.url, false, false, .inline), (.url, true, true, .inline),
            (.inline, true, false, .inline),
        ] as [(ImageForm, Bool, Bool, ImageForm)]
    )
    func form(configured: ImageForm, upstreamTakesURLs: Bool, couldNotFetch: Bool, form: ImageForm) {
        let question = ImageFormQuestion(
            configured: configured,
            upstreamTakesURLs: upstreamTakesURLs,
            couldNotFetch: couldNotFetch
        )

        #expect(question.form == form)
    }

    @Test(
        "who cannot fetch an image says so in words of their own",
        arguments: [
            (400, "litellm.BadRequestError: Unable to fetch image from URL http://minio:9000/a", ""),
            (400, "blocked by user_url_allowed_hosts", ""), (400, "Error while downloading https://a/b.", ""),
            (400, "Timeout while downloading https://a/b.", "invalid_image_url"),
            (400, "", "invalid_image_url"),
            (400, "Unable to download the file. Please verify the URL and try again.", ""),
            (400, "Cannot fetch content from the provided URL.", ""), (500, "unable to fetch IMAGE", ""),
        ]
    )
    func cannotFetch(status: Int, message: String, code: String) {
        #expect(ImageFetchFailure.isStated(status: status, message: message, code: code))
    }

    @Test(
        "other answers are none of that",
        arguments: [
            (400, "the prompt is too long", "context_length_exceeded"), (200, "unable to fetch image", ""),
            (503, "unable to fetch image", ""), (400, "", ""),
        ]
    )
    func otherAnswers(status: Int, message: String, code: String) {
        #expect(!ImageFetchFailure.isStated(status: status, message: message, code: code))
    }
}

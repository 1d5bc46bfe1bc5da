internal import Telemetry

extension LoopContext {
    /// Puts what became of the images of a request and of its answer into the figures.
    func addImages(of record: RequestRecord) {
        add(record.images, ImageLabels.ofRequests)
        add(record.answerImages, ImageLabels.ofAnswers)
        guard record.imageBytes != ImageBytes() else { return }
        for (hop, labels) in zip(record.imageBytes.hops, ImageLabels.hops) where hop.byteCount > 0 {
            metrics.add(.imageBytes, labels, Double(hop.byteCount))
        }
    }

    private func add(_ images: ImageCounts, _ labels: [Labels]) {
        guard !images.isEmpty else { return }
        for (result, labels) in zip(ImageCounts.Result.allCases, labels)
        where images[result] > 0 && result != .dropped {
            metrics.add(.images, labels, Double(images[result]))
        }
    }

    private enum ImageLabels {
        static let ofRequests = labels(of: "request")
        static let ofAnswers = labels(of: "response")
        static let hops = ImageBytes().hops.map { Labels(Label($0.name)) }

        private static func labels(of direction: String) -> [Labels] {
            ImageCounts.Result.allCases.map { Labels(Label(direction), Label($0.rawValue)) }
        }
    }
}

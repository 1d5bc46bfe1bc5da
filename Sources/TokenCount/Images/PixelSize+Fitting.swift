extension PixelSize {
    /// With sides that can be multiplied; every formula scales larger ones down.
    var clamped: PixelSize {
        PixelSize(width: min(max(1, width), 1 << 24), height: min(max(1, height), 1 << 24))
    }

    var area: Int { width * height }

    /// Scaled down, with its proportions, until no side is longer.
    func fitting(longestSide limit: Int) -> PixelSize {
        scaled(by: limit, over: max(width, height))
    }

    /// Scaled down, with its proportions, until the shorter side is no longer than the limit.
    func fitting(shortestSide limit: Int) -> PixelSize {
        scaled(by: limit, over: min(width, height))
    }

    /// The largest size of these proportions with no longer side that no more squares cover.
    func fitting(longestSide limit: Int, tiles most: Int, of side: Int) -> PixelSize {
        var fits = 1
        var exceeds = min(limit, max(width, height)) + 1
        while exceeds - fits > 1 {
            let middle = (fits + exceeds) / 2
            if fitting(longestSide: middle).tiles(of: side) <= most {
                fits = middle
            } else {
                exceeds = middle
            }
        }
        return fitting(longestSide: fits)
    }

    /// How many squares cover it.
    func tiles(of side: Int) -> Int {
        ((width + side - 1) / side) * ((height + side - 1) / side)
    }

    /// To the nearest whole pixels, at least one.
    ///
    /// So OpenAI seems to do it: it bills 2049 × 513 px as two rows of tiles, 2050 × 513 px as one.
    private func scaled(by limit: Int, over side: Int) -> PixelSize {
        guard side > limit else { return self }
        return PixelSize(
            width: max(1, (width * limit + side / 2) / side),
            height: max(1, (height * limit + side / 2) / side)
        )
    }
}

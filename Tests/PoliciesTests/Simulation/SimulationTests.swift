import Policies
import Testing

@Suite("A thousand clients on flapping targets")
struct SimulationTests {
    @Test(
        "no byte for an open target, one probe at a time, recovery within 30 s, everybody returns",
        arguments: 0..<6
    )
    func keepsItsPromises(seed: Int) {
        let patience = Duration.seconds(seed % 2)
        var simulation = Simulation(seed: seed, patience: patience)

        simulation.run()

        let ledger = simulation.ledger
        #expect(ledger.violations.isEmpty)
        // The run would show nothing if these did not happen.
        #expect(ledger.peakInFlight == Simulation.clientCount)
        #expect(ledger.opened > 3 && ledger.lateAnswers > 0)
        #expect(ledger.toolResultsKept > 100 && ledger.returns > 100 && ledger.turnsOfWellPrimaries > 100)
        #expect(ledger.excused[.probe, default: 0] > 0 && ledger.excused[.nowhereElse, default: 0] > 0)
        #expect((ledger.excused[.patience, default: 0] > 0) == (patience > .zero))
    }
}

package store

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestRecordsThatNeverCameAreCounted(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		batches := uint64(0)
		took := func(sequences ...uint64) {
			t.Helper()
			batches++
			if err := s.PutAnalysed(t.Context(), Analysed{Cluster: "prod",
				Batch: &EventBatch{Source: "runtime", EventPosition: EventPosition{"s", batches}, Received: time.Now()},
				Runs:  []RunCame{{"worker-1", "b1", sequences}}}); err != nil {
				t.Fatal(err)
			}
		}
		took(1, 2, 3)
		took(5, 6)
		took(5, 6) // a batch that comes again after a crash
		took(9)
		took(0) // no sequence
		check := func(received, missing uint64) {
			t.Helper()
			runs, err := s.SensorRuns(t.Context(), "prod")
			if err != nil || len(runs) != 1 || runs[0].Received != received || runs[0].Missing != missing {
				t.Errorf("%+v, %v: want %d received, %d missing", runs, err, received, missing)
			}
		}
		check(6, 3)
		took(4) // late is not lost
		check(7, 2)
	})
}

// TestSpansAgreeWithASet compares with a set of numbers, which is too large to keep.
func TestSpansAgreeWithASet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var s spans
		set := map[uint64]bool{}
		for range 60 {
			n := 1 + r.Uint64N(80)
			s.add([]uint64{n})
			set[n] = true
			highest := uint64(0)
			for k := range set {
				highest = max(highest, k)
			}
			runs := 0
			for k := range set {
				if !set[k-1] {
					runs++
				}
			}
			if s.received() != uint64(len(set)) || s.highest() != highest || len(s.Pieces) != runs {
				t.Fatalf("%+v: want %d up to %d in %d pieces", s, len(set), highest, runs)
			}
		}
	}
}

func TestASenderThatLeavesHolesEverywhereCostsNoMore(t *testing.T) {
	var s spans
	for n := uint64(1); n < 10_000; n += 2 {
		s.add([]uint64{n})
	}
	if len(s.Pieces) > maxSpans || s.received() != 5000 || s.highest() != 9999 {
		t.Errorf("%d pieces, %d received up to %d", len(s.Pieces), s.received(), s.highest())
	}
	settled := 0
	for i := range uint64(2 * maxSpans) { // pieces of one, two, three …
		for range i + 1 {
			settled++
			s.one(10_000 + uint64(settled) + i)
		}
		s.add(nil)
	}
	if s.received() != 5000+uint64(settled) {
		t.Errorf("%d received of %d", s.received(), 5000+settled)
	}
	s.add([]uint64{1, 2}) // settled: neither again nor late
	if s.received() != 5000+uint64(settled) {
		t.Errorf("%d received", s.received())
	}
}

func TestSixtyFourPiecesOfARunAreToldApart(t *testing.T) {
	var s spans
	s.add([]uint64{0}) // no sequence
	if s.highest() != 0 || s.received() != 0 {
		t.Errorf("%+v", s)
	}
	for n := range uint64(64) {
		s.add([]uint64{2*n + 2})
	}
	if len(s.Pieces) != 64 || s.Settled != 0 || s.Below != 0 {
		t.Errorf("64 pieces are kept: %+v", s)
	}
	s.add([]uint64{1000})
	if len(s.Pieces) != 64 || s.Settled != 1 || s.Below != 2 {
		t.Errorf("the first of 65 is settled: %+v", s)
	}
}

func TestARunOfWhichNothingCameMissesNothing(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		if err := s.PutAnalysed(t.Context(), Analysed{Cluster: "prod", Batch: &EventBatch{Source: "r", EventPosition: EventPosition{"s", 1}},
			Runs: []RunCame{{"n1", "b", []uint64{0}}, {"n2", "b", nil}}}); err != nil {
			t.Fatal(err)
		}
		runs, err := s.SensorRuns(t.Context(), "")
		if err != nil || len(runs) != 2 || runs[0].Missing != 0 || runs[0].Received != 0 || runs[1].Missing != 0 {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}

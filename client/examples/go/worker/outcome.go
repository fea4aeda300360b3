package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "example.com/taskwire/gen/taskwire/v1"
)

const (
	maxOutcomes   = 1_000
	maxFrameBytes = 1 << 20
	maxMessage    = 4_096
)

// An ending is an error that says what is to become of the task. Every other error is retried by the task's policy.
type ending struct {
	error
	outcome *pb.Outcome
}

func (e ending) Unwrap() error { return e.error }

// Retry says that the attempt failed, and that the next one follows after delay instead of by the task's policy.
func Retry(err error, delay time.Duration) error {
	outcome := failed(err, pb.Nack_ACTION_RETRY)
	outcome.GetNack().RetryDelay = durationpb.New(delay)
	return ending{err, outcome}
}

// DeadLetter says that trying again would not help: the task is dead at once.
func DeadLetter(err error) error { return ending{err, failed(err, pb.Nack_ACTION_DEAD_LETTER)} }

// Discard says that the task is not worth keeping: it ends as cancelled.
func Discard(err error) error { return ending{err, failed(err, pb.Nack_ACTION_DISCARD)} }

// Release says "not now": the task is back after delay, and no attempt is spent.
func Release(delay time.Duration) error {
	return ending{fmt.Errorf("released for %v", delay), released(delay)}
}

func outcomeOf(err error) *pb.Outcome {
	if wanted, ok := errors.AsType[ending](err); ok {
		return wanted.outcome
	}
	return failed(err, pb.Nack_ACTION_UNSPECIFIED)
}

func failed(err error, action pb.Nack_Action) *pb.Outcome {
	// No more than the broker keeps, and nothing that protobuf does not take for text.
	message := strings.ToValidUTF8(err.Error()[:min(len(err.Error()), maxMessage)], "?")
	nack := &pb.Nack{Action: action, ErrorType: fmt.Sprintf("%T", err), ErrorMessage: message}
	return &pb.Outcome{Result: &pb.Outcome_Nack{Nack: nack}}
}

func released(delay time.Duration) *pb.Outcome {
	return &pb.Outcome{Result: &pb.Outcome_Release{Release: &pb.Release{Delay: durationpb.New(delay)}}}
}

// tokenOutcome is what an outcome is called where there is no stream to name the task by its tag.
func tokenOutcome(attempt *Attempt, outcome *pb.Outcome) *pb.TokenOutcome {
	said := &pb.TokenOutcome{
		LeaseToken: attempt.Delivery.GetLeaseToken(),
		Duration:   durationpb.New(time.Since(attempt.began)),
	}
	switch result := outcome.GetResult().(type) {
	case *pb.Outcome_Ack:
		said.Result = &pb.TokenOutcome_Ack{Ack: result.Ack}
	case *pb.Outcome_Nack:
		said.Result = &pb.TokenOutcome_Nack{Nack: result.Nack}
	case *pb.Outcome_Release:
		said.Result = &pb.TokenOutcome_Release{Release: result.Release}
	}
	return said
}

// logRefusal tells of an outcome that did not count. STALE is no error: the task timed out, or somebody else has it by now.
func logRefusal(attempt *Attempt, reason pb.Rejection_Reason, message string) {
	slog.Warn("outcome refused", "task", attempt.Delivery.GetTask().GetId(), "reason", reason, "message", message)
}

type settled struct {
	attempt *Attempt
	outcome *pb.Outcome
}

// batches splits outcomes into as many at a time as the broker takes, and few enough bytes for one gRPC message.
func batches(outcomes map[*Attempt]*pb.Outcome) [][]settled {
	var all [][]settled
	var batch []settled
	size := 0
	for attempt, outcome := range outcomes {
		added := proto.Size(outcome)
		if len(batch) == maxOutcomes || (len(batch) > 0 && size+added > maxFrameBytes) {
			all = append(all, batch)
			batch, size = nil, 0
		}
		batch = append(batch, settled{attempt, outcome})
		size += added
	}
	if len(batch) > 0 {
		all = append(all, batch)
	}
	return all
}

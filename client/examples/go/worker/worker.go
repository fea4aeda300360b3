// Package worker takes tasks from a Taskwire broker and runs their handlers.
//
// A Worker keeps one session open: it reconnects after anything but its own stop, with a jittered backoff, and opens the next
// session before it leaves one whose broker drains. docs/writing-workers.md tells why it does what it does.
package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "example.com/taskwire/gen/taskwire/v1"
)

const (
	maxResultBytes = 1 << 20
	minBackoff     = 100 * time.Millisecond
	maxBackoff     = 5 * time.Second
	stableAfter    = 5 * time.Second // a session that lived this long was a success
	closeTimeout   = 4 * time.Second
	settleTimeout  = 10 * time.Second
)

// A Handler does one attempt of a task. Its context is cancelled when the task is taken away or given back.
type Handler func(ctx context.Context, task *pb.Task, attempt *Attempt) (result []byte, err error)

// A Worker runs handlers. Set its fields, then call Run once.
type Worker struct {
	Addresses   []string
	Handlers    map[string]Handler // by type
	Queues      []string           // default: those of the types
	Concurrency int
	// How long broker and worker may hear nothing of each other. Default: the broker's.
	SessionTimeout time.Duration
	// How long handlers may go on once Run is told to stop.
	Shutdown time.Duration

	id   string
	host string

	mu       sync.Mutex // guards what follows, and the state of all sessions
	running  map[*Attempt]struct{}
	late     map[*Attempt]*pb.Outcome // not confirmed by the stream that they came on
	session  *session                 // the one that gets tasks
	stopping bool

	handlers sync.WaitGroup
	settling sync.Mutex // one SettleTasks at a time
}

// Run works until ctx is done, and returns when what it held is settled or given back.
func (w *Worker) Run(ctx context.Context) {
	w.host, _ = os.Hostname()
	w.id = fmt.Sprintf("%s-%s", w.host, randomHex())
	w.running = map[*Attempt]struct{}{}
	w.late = map[*Attempt]*pb.Outcome{}
	if len(w.Queues) == 0 {
		for name := range w.Handlers {
			w.Queues = append(w.Queues, strings.ReplaceAll(name, "/", "."))
		}
	}

	// Sessions outlive ctx: what they hold has to be settled.
	streams, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	var sessions sync.WaitGroup
	for n, failures := 0, 0; ctx.Err() == nil; n++ {
		s := newSession(w, w.Addresses[n%len(w.Addresses)])
		began := time.Now()
		sessions.Go(func() { s.run(streams) })
		select {
		case <-ctx.Done():
			continue
		case <-s.left:
		}
		if s.isDraining() && len(w.Addresses) > 1 {
			continue
		}
		if failures++; time.Since(began) > stableAfter {
			failures = 1
		}
		// At random: workers that lost the same broker must not come back together.
		ceiling := min(maxBackoff, minBackoff<<min(failures, 10))
		select {
		case <-ctx.Done():
		case <-time.After(minBackoff + mrand.N(ceiling-minBackoff+1)):
		}
	}
	w.leave(&sessions, abandon)
}

func (w *Worker) leave(sessions *sync.WaitGroup, abandon func()) {
	w.mu.Lock()
	w.stopping = true
	slog.Info("stopping", "running", len(w.running))
	if w.session != nil {
		w.session.say(&pb.SubscribeRequest{Frame: &pb.SubscribeRequest_StopDelivery{StopDelivery: &pb.StopDelivery{}}})
	}
	w.mu.Unlock()

	waitFor(&w.handlers, w.Shutdown)
	w.mu.Lock()
	for attempt := range w.running {
		if !attempt.over {
			attempt.cancel(errors.New("the worker is stopping"))
			attempt.session.settle(attempt, released(0))
		}
	}
	w.mu.Unlock()

	if !waitFor(sessions, closeTimeout) {
		abandon()
		sessions.Wait()
	}
	if conn, err := w.dial(w.Addresses[0]); err == nil {
		defer conn.Close()
		w.tryByToken(context.Background(), pb.NewWorkerServiceClient(conn))
	}
}

func (w *Worker) dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func (w *Worker) hello(window uint32) *pb.Hello {
	hello := &pb.Hello{
		WorkerId:    w.id,
		Host:        w.host,
		Sdk:         "taskwire-example-go/0.1.0",
		Window:      &pb.Window{MaxInFlight: window},
		Concurrency: uint32(w.Concurrency),
	}
	if w.SessionTimeout > 0 {
		hello.SessionTimeout = durationpb.New(w.SessionTimeout)
	}
	var types []string
	for name := range w.Handlers {
		types = append(types, name)
	}
	for _, queue := range w.Queues {
		hello.Queues = append(hello.Queues, &pb.QueueSubscription{Queue: queue, Types: types})
	}
	return hello
}

// room is how many tasks a session may hold, beside what is here and its broker does not count: handlers of other sessions,
// those that do not stop though their task was taken away, and late outcomes, whose tasks must not come back first.
func (w *Worker) room(s *session) uint32 {
	room := w.Concurrency - len(w.late)
	for attempt := range w.running {
		if attempt.session != s || attempt.over {
			room--
		}
	}
	return uint32(max(0, room))
}

// start runs the handler of an attempt. w.mu is held.
func (w *Worker) start(attempt *Attempt) {
	if w.stopping { // It was on its way when we asked for no more.
		attempt.session.settle(attempt, released(0))
		return
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	attempt.cancel = cancel
	w.running[attempt] = struct{}{}
	w.handlers.Go(func() {
		outcome := w.handle(ctx, attempt)
		w.mu.Lock()
		defer w.mu.Unlock()
		if !attempt.over {
			attempt.session.settle(attempt, outcome)
		}
		cancel(nil)
		delete(w.running, attempt)
		w.session.poke()
	})
}

func (w *Worker) handle(ctx context.Context, attempt *Attempt) *pb.Outcome {
	task := attempt.Delivery.GetTask()
	result, err := w.call(ctx, task, attempt)
	if err == nil && len(result) > maxResultBytes {
		err = fmt.Errorf("the result has %d bytes, at most %d are kept", len(result), maxResultBytes)
	}
	if err == nil {
		return &pb.Outcome{Result: &pb.Outcome_Ack{Ack: &pb.Ack{Result: result}}}
	}
	slog.Warn("attempt failed", "task", task.GetId(), "attempt", attempt.Delivery.GetAttempt(), "error", err)
	return outcomeOf(err)
}

func (w *Worker) call(ctx context.Context, task *pb.Task, attempt *Attempt) (result []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	handler, ok := w.Handlers[task.GetType()]
	if !ok {
		return nil, fmt.Errorf("no handler registered for task type: %s", task.GetType())
	}
	return handler(ctx, task, attempt)
}

func (w *Worker) hasLate() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.late) > 0
}

// tryByToken settles by token what it can; the rest is tried again with the next heartbeat or session.
func (w *Worker) tryByToken(ctx context.Context, client pb.WorkerServiceClient) {
	if err := w.settleByToken(ctx, client); err != nil {
		slog.Warn("not settled by token", "error", err)
	}
}

func (w *Worker) settleByToken(ctx context.Context, client pb.WorkerServiceClient) error {
	w.settling.Lock()
	defer w.settling.Unlock()
	w.mu.Lock()
	todo := batches(w.late)
	w.mu.Unlock()
	for _, batch := range todo {
		request := &pb.SettleTasksRequest{WorkerId: w.id}
		for _, settled := range batch {
			request.Outcomes = append(request.Outcomes, tokenOutcome(settled.attempt, settled.outcome))
		}
		call, cancel := context.WithTimeout(ctx, settleTimeout)
		answer, err := client.SettleTasks(call, request)
		cancel()
		if err != nil {
			return err
		}
		w.mu.Lock()
		for i, result := range answer.GetResults() {
			if result.GetReason() == pb.Rejection_REASON_UNAVAILABLE {
				continue // The store is away.
			}
			delete(w.late, batch[i].attempt)
			if result.GetSettled() {
				slog.Info("settled by token", "task", batch[i].attempt.Delivery.GetTask().GetId())
			} else {
				logRefusal(batch[i].attempt, result.GetReason(), result.GetMessage())
			}
		}
		if w.session != nil {
			w.session.poke()
		}
		w.mu.Unlock()
	}
	return nil
}

func waitFor(group *sync.WaitGroup, timeout time.Duration) bool {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(timeout):
		return false
	}
}

func randomHex() string {
	var bytes [4]byte
	_, _ = rand.Read(bytes[:]) // It never fails.
	return fmt.Sprintf("%x", bytes)
}

package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "example.com/taskwire/gen/taskwire/v1"
)

const (
	welcomeTimeout   = 10 * time.Second
	unavailablePause = time.Second
)

// An Attempt is one delivery of one task. Its handler gets it beside the task.
type Attempt struct {
	Delivery *pb.Delivery

	session *session
	began   time.Time
	cancel  context.CancelCauseFunc
	over    bool // it has an outcome, or was taken away: what its handler says no longer counts
}

// Extend starts the timeout of the task again, with this length.
func (a *Attempt) Extend(timeout time.Duration) {
	extend := &pb.Extend{Tags: []uint64{a.Delivery.GetTag()}, Timeout: durationpb.New(timeout)}
	a.say(&pb.SubscribeRequest{Frame: &pb.SubscribeRequest_Extend{Extend: extend}})
}

// Progress tells how far the handler is, from 0 to 100.
func (a *Attempt) Progress(percent float32) {
	progress := &pb.Progress{Tag: a.Delivery.GetTag(), Percent: percent}
	a.say(&pb.SubscribeRequest{Frame: &pb.SubscribeRequest_Progress{Progress: progress}})
}

func (a *Attempt) say(frame *pb.SubscribeRequest) {
	a.session.w.mu.Lock()
	defer a.session.w.mu.Unlock()
	if !a.over {
		a.session.say(frame)
	}
}

// A session is one Subscribe stream, from Hello to its end.
//
//	connecting --Welcome--> open --Drain or StopDelivery--> draining --all is confirmed--> over, as when the stream breaks
//
// One goroutine reads, one writes: it sends what the state, guarded by the worker's mutex, says is due. What the session
// cannot confirm when it is over, the worker settles by token.
type session struct {
	w       *Worker
	address string
	left    chan struct{} // closed when another session is wanted: this one drains, or is over
	leave   func()
	wake    chan struct{}
	client  pb.WorkerServiceClient // since Welcome

	draining    bool // nothing is delivered any more
	over        bool
	window      uint32
	frames      []*pb.SubscribeRequest // to be sent
	held        map[uint64]*Attempt    // by tag: delivered, and without an outcome
	pending     map[*Attempt]*pb.Outcome
	unconfirmed map[uint64][]settled // by settle_id: sent, and not answered
	postponed   int                  // outcomes that are sent again, since the store was away
	settleID    uint64
	beat        bool // a heartbeat is due
	sequence    uint64
}

// newSession makes the session that gets tasks from now on.
func newSession(w *Worker, address string) *session {
	s := &session{
		w:           w,
		address:     address,
		left:        make(chan struct{}),
		wake:        make(chan struct{}, 1),
		held:        map[uint64]*Attempt{},
		pending:     map[*Attempt]*pb.Outcome{},
		unconfirmed: map[uint64][]settled{},
	}
	s.leave = sync.OnceFunc(func() { close(s.left) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session = s
	return s
}

func (s *session) isDraining() bool {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.draining
}

// run returns when the stream is over, for whatever reason. Handlers go on: what they do may still count, by token.
func (s *session) run(ctx context.Context) {
	err := s.talk(ctx)
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	level := slog.LevelInfo
	if !s.draining {
		level = slog.LevelWarn
	}
	slog.Log(ctx, level, "session over", "address", s.address, "reason", err)
	s.over = true
	for _, batch := range s.unconfirmed {
		for _, one := range batch {
			s.w.late[one.attempt] = one.outcome
		}
	}
	for attempt, outcome := range s.pending {
		s.w.late[attempt] = outcome
	}
	s.w.session.poke()
	s.leave()
}

func (s *session) talk(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	conn, err := s.w.dial(s.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	client := pb.NewWorkerServiceClient(conn)
	// Before Hello: as soon as there is room here, the broker may hand out the same tasks again.
	if err := s.w.settleByToken(ctx, client); err != nil {
		return err
	}
	stream, err := client.Subscribe(ctx)
	if err != nil {
		return err
	}
	s.w.mu.Lock()
	s.window = s.w.room(s)
	hello := &pb.SubscribeRequest{Frame: &pb.SubscribeRequest_Hello{Hello: s.w.hello(s.window)}}
	s.w.mu.Unlock()
	if err := stream.Send(hello); err != nil {
		_, err = stream.Recv()
		return err
	}
	// Any frame is a sign of life, and nothing else is: a proxy may answer the pings of HTTP/2.
	silence := welcomeTimeout
	alarm := time.AfterFunc(silence, func() { cancel(errors.New("the broker was silent for too long")) })
	defer alarm.Stop()
	for {
		frame, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		if welcome := frame.GetWelcome(); welcome != nil {
			silence = welcome.GetSessionTimeout().AsDuration()
			s.client = client
			go s.write(ctx, stream, welcome.GetHeartbeatInterval().AsDuration())
		}
		alarm.Reset(silence)
		s.receive(frame)
	}
}

// write sends what is due whenever it is woken, and a heartbeat whenever it is time.
func (s *session) write(ctx context.Context, stream pb.WorkerService_SubscribeClient, interval time.Duration) {
	heartbeat := time.NewTicker(interval)
	defer heartbeat.Stop()
	for {
		beat := false
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-heartbeat.C:
			beat = true
		}
		frames, done := s.due(beat)
		if s.w.hasLate() {
			go s.w.tryByToken(ctx, s.client)
		}
		for _, frame := range frames {
			if stream.Send(frame) != nil {
				return // The reader hears why.
			}
		}
		if done {
			stream.CloseSend() // The broker answers with the end of the stream.
			return
		}
	}
}

// due takes what is to be sent now. Outcomes that came while the last ones were sent travel in one frame.
func (s *session) due(beat bool) (frames []*pb.SubscribeRequest, done bool) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	frames, s.frames = s.frames, nil
	// The window is absolute: sent again, it replaces the former one.
	if room := s.w.room(s); room != s.window && !s.draining {
		s.window = room
		frames = append(frames, &pb.SubscribeRequest{
			Frame: &pb.SubscribeRequest_Window{Window: &pb.Window{MaxInFlight: room}},
		})
	}
	for _, batch := range batches(s.pending) {
		s.settleID++
		s.unconfirmed[s.settleID] = batch
		settle := &pb.Settle{SettleId: s.settleID}
		for _, one := range batch {
			one.outcome.Tag = one.attempt.Delivery.GetTag()
			settle.Outcomes = append(settle.Outcomes, one.outcome)
		}
		frames = append(frames, &pb.SubscribeRequest{Frame: &pb.SubscribeRequest_Settle{Settle: settle}})
	}
	clear(s.pending)
	if beat || s.beat {
		s.beat = false
		s.sequence++
		frames = append(frames, &pb.SubscribeRequest{
			Frame: &pb.SubscribeRequest_Heartbeat{Heartbeat: &pb.Heartbeat{Sequence: s.sequence}},
		})
	}
	return frames, s.draining && len(s.held)+len(s.unconfirmed)+s.postponed == 0
}

func (s *session) receive(frame *pb.SubscribeResponse) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	switch frame := frame.GetFrame().(type) {
	case *pb.SubscribeResponse_Welcome:
		slog.Info("connected", "address", s.address, "session", frame.Welcome.GetSessionId())
		for _, notice := range frame.Welcome.GetNotices() {
			slog.Warn("the broker changed something", "notice", notice)
		}
	case *pb.SubscribeResponse_Deliver:
		for _, delivery := range frame.Deliver.GetDeliveries() {
			attempt := &Attempt{Delivery: delivery, session: s, began: time.Now()}
			s.held[delivery.GetTag()] = attempt
			s.w.start(attempt)
		}
	case *pb.SubscribeResponse_SettleResult:
		s.confirm(frame.SettleResult)
	case *pb.SubscribeResponse_Cancel:
		for _, tag := range frame.Cancel.GetTags() {
			if attempt, ok := s.held[tag]; ok {
				delete(s.held, tag)
				attempt.over = true
				attempt.cancel(fmt.Errorf("the task was taken away: %v", frame.Cancel.GetReason()))
			}
		}
		s.beat = true // The broker delivers nothing before a frame of ours.
	case *pb.SubscribeResponse_Drain:
		slog.Info("the broker leaves", "address", s.address, "reason", frame.Drain.GetReason())
		s.draining = true
		s.leave()
	case *pb.SubscribeResponse_DeliveryStopped:
		s.draining = true
	}
	s.poke()
}

// settle keeps an outcome until it is confirmed. w.mu is held.
func (s *session) settle(attempt *Attempt, outcome *pb.Outcome) {
	attempt.over = true
	delete(s.held, attempt.Delivery.GetTag())
	if s.over {
		s.w.late[attempt] = outcome
		s.w.session.poke()
		return
	}
	s.pending[attempt] = outcome
	s.poke()
}

func (s *session) confirm(answer *pb.SettleResult) {
	byTag := map[uint64]settled{}
	for _, one := range s.unconfirmed[answer.GetSettleId()] {
		byTag[one.attempt.Delivery.GetTag()] = one
	}
	delete(s.unconfirmed, answer.GetSettleId())
	for _, rejection := range answer.GetRejections() {
		one, ok := byTag[rejection.GetTag()]
		if !ok {
			continue
		}
		switch rejection.GetReason() {
		case pb.Rejection_REASON_UNAVAILABLE:
			s.postponed++
			time.AfterFunc(unavailablePause+rand.N(unavailablePause), func() {
				s.w.mu.Lock()
				defer s.w.mu.Unlock()
				s.postponed--
				s.settle(one.attempt, one.outcome)
			})
		case pb.Rejection_REASON_INVALID:
			s.settle(one.attempt, failed(errors.New(rejection.GetMessage()), pb.Nack_ACTION_UNSPECIFIED))
		default:
			logRefusal(one.attempt, rejection.GetReason(), rejection.GetMessage())
		}
	}
}

// say queues a frame. w.mu is held.
func (s *session) say(frame *pb.SubscribeRequest) {
	s.frames = append(s.frames, frame)
	s.poke()
}

func (s *session) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

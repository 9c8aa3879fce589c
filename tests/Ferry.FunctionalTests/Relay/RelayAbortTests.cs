using System.Net.Sockets;
using Ferry.Relay;

namespace Ferry.FunctionalTests.Relay;

public sealed class RelayAbortTests
{
    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_reset_of_the_sender_reaches_the_receiver_as_a_reset(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();
        await rig.Sender.SendAsync(new byte[5000]);
        await rig.Receiver.ReceiveExactlyAsync(5000);

        rig.Sender.Abort();

        Assert.Equal((0, StreamEnd.Reset), await rig.Receiver.ReceiveRestAsync());
        RelayResult result = await run;
        Assert.Equal(rig.SenderReadFailed, result.End);
        Assert.False(result.IsComplete);
        Assert.True(rig.ClientLeg.Connection.Handle.IsClosed);
        Assert.True(rig.UpstreamLeg.Connection.Handle.IsClosed);
    }

    [Theory]
    [MemberData(nameof(RelayCases.Relays), MemberType = typeof(RelayCases))]
    public async Task A_reset_is_passed_on_when_nobody_is_known_as_the_sender(RelayKind kind)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, TransferDirection.Either);
        Task<RelayResult> run = rig.RunAsync();

        rig.Client.Abort();

        Assert.Equal((0, StreamEnd.Reset), await rig.Upstream.ReceiveRestAsync());
        Assert.Equal(RelayEnd.ClientReadFailed, (await run).End);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_reset_of_the_receiver_stops_a_sender_in_full_flow(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();
        Task<SocketError> refused = Task.Run(rig.Sender.SendUntilRefusedAsync);
        await rig.Receiver.ReceiveExactlyAsync(3 << 20);

        rig.Receiver.Abort();

        AssertRefused(await refused);
        RelayResult result = await run;
        Assert.Contains(result.End, rig.ReceiverFailed);
        Assert.False(result.IsComplete);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_reset_of_the_receiver_is_noticed_while_the_sender_is_silent(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();

        rig.Receiver.Abort();

        Assert.Equal((0, StreamEnd.Reset), await rig.Sender.ReceiveRestAsync());
        Assert.Equal(rig.ReceiverFailed[0], (await run).End);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_cut_before_the_start_resets_both(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));

        rig.Relay.Cut();
        rig.Relay.Cut();

        Assert.Equal(new RelayResult(RelayEnd.Cut, 0, 0), await rig.RunAsync());
        Assert.Equal((0, StreamEnd.Reset), await rig.Client.ReceiveRestAsync());
        Assert.Equal((0, StreamEnd.Reset), await rig.Upstream.ReceiveRestAsync());
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_cut_of_an_idle_transfer_resets_both(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();

        rig.Relay.Cut();

        Assert.Equal(RelayEnd.Cut, (await run).End);
        Assert.Equal((0, StreamEnd.Reset), await rig.Client.ReceiveRestAsync());
        Assert.Equal((0, StreamEnd.Reset), await rig.Upstream.ReceiveRestAsync());
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_cut_in_full_flow_never_looks_like_an_end(RelayKind kind, bool upload)
    {
        // Again and again, as the cut meets the pump in another place each time.
        for (int i = 0; i < 20; i++)
        {
            await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
            Task<RelayResult> run = rig.RunAsync();
            Task<SocketError> refused = Task.Run(rig.Sender.SendUntilRefusedAsync);
            await rig.Receiver.ReceiveExactlyAsync(100_000 * (i + 1));
            // On a thread of its own: it may never have to wait, and then would not come back to cut.
            Task<(long Size, StreamEnd End)> rest = Task.Run(rig.Receiver.ReceiveRestAsync);

            rig.Relay.Cut();

            Assert.Equal(RelayEnd.Cut, (await run).End);
            Assert.Equal(StreamEnd.Reset, (await rest).End);
            AssertRefused(await refused);
        }
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_cut_of_a_receiver_that_is_full_ends_the_wait_for_it(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), 16 * 1024);
        Task<RelayResult> run = rig.RunAsync();
        Task<SocketError> refused = Task.Run(rig.Sender.SendUntilRefusedAsync);
        await rig.Receiver.ReceiveExactlyAsync(1);

        rig.Relay.Cut();

        Assert.Equal(RelayEnd.Cut, (await run).End);
        AssertRefused(await refused);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_cut_after_the_end_changes_nothing(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();
        await rig.Sender.SendAsync(new byte[5000]);
        await rig.Sender.FinishAsync();
        RelayResult result = await run;

        rig.Relay.Cut();

        Assert.Equal(rig.SenderClosed, result.End);
        Assert.Equal((5000, StreamEnd.InOrder), await rig.Receiver.ReceiveRestAsync());
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_cut_and_an_end_at_the_same_time_agree_with_what_the_receiver_sees(RelayKind kind, bool upload)
    {
        for (int i = 0; i < 100; i++)
        {
            await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
            Task<RelayResult> run = rig.RunAsync();
            using var both = new Barrier(2);
            Task cut = Task.Run(() =>
            {
                both.SignalAndWait(RelayRig.Patience);
                rig.Relay.Cut();
            });
            both.SignalAndWait(RelayRig.Patience);
            await rig.Sender.TryFinishAsync(); // the cut may have been faster

            RelayResult result = await run;
            await cut;
            (_, StreamEnd end) = await rig.Receiver.ReceiveRestAsync();
            // In TLS the cut may win just behind the close_notify; but nothing that looks cut off is ever told as complete.
            if (result.IsComplete || !rig.ReceiverLeg.IsTls)
                Assert.Equal(result.IsComplete ? StreamEnd.InOrder : StreamEnd.Reset, end);
            else
                Assert.NotEqual(StreamEnd.Truncated, end);
        }
    }

    // The sender of the file may get EPIPE for its RST: Linux tells a reset once, to the first call that asks, and which call of the
    // peer's that is is no affair of the relay's. What must never look like an end is what the receiver sees.
    private static void AssertRefused(SocketError error) => Assert.Contains(error, (SocketError[])[SocketError.ConnectionReset, SocketError.Shutdown]);
}

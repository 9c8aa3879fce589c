using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Relay;

namespace Ferry.FunctionalTests.Relay;

public sealed class RelayEndTests
{
    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task The_senders_end_ends_the_transfer_though_the_receiver_stays(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();

        await rig.Sender.SendAsync(new byte[1000]);
        await rig.Sender.FinishAsync();

        // Nobody has read a byte, nor closed: a client may want its 226 first.
        Assert.Equal(rig.SenderClosed, (await run).End);
        Assert.True(rig.SenderLeg.Connection.Handle.IsClosed);
        Assert.Equal(rig.ReceiverLeg.IsTls, !rig.ReceiverLeg.Connection.Handle.IsClosed);
        Assert.Equal(rig.ReceiverLeg.IsTls ? 1 : 0, rig.Lingering.Count);
        Assert.Equal((1000, StreamEnd.InOrder), await rig.Receiver.ReceiveRestAsync());
        Assert.Equal((0, StreamEnd.InOrder), await rig.Sender.ReceiveRestAsync());

        await rig.Receiver.FinishAsync();
        await Wait.Until(() => rig.ReceiverLeg.Connection.Handle.IsClosed && rig.Lingering.Count == 0, "the receiver's leg to be closed");
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_half_closed_leg_still_receives(RelayKind kind, bool upstreamFirst)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, TransferDirection.Either);
        Task<RelayResult> run = rig.RunAsync();
        (FarEnd first, FarEnd second) = upstreamFirst ? (rig.Upstream, rig.Client) : (rig.Client, rig.Upstream);

        await first.SendAsync(new byte[10]);
        await first.FinishAsync();
        Assert.Equal((10, StreamEnd.InOrder), await second.ReceiveRestAsync());
        await second.SendAsync(new byte[20]);
        await second.FinishAsync();
        Assert.Equal((20, StreamEnd.InOrder), await first.ReceiveRestAsync());

        RelayResult result = await run;
        Assert.Equal(upstreamFirst ? RelayEnd.UpstreamClosed : RelayEnd.ClientClosed, result.End);
        Assert.True(rig.ClientLeg.Connection.Handle.IsClosed);
        Assert.True(rig.UpstreamLeg.Connection.Handle.IsClosed);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_receiver_that_half_closes_gets_the_file(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();

        await rig.Receiver.FinishAsync();
        Assert.Equal((0, StreamEnd.InOrder), await rig.Sender.ReceiveRestAsync());
        Task<(long, string, StreamEnd)> received = rig.Receiver.ReceiveFileAsync();
        string sent = await rig.Sender.SendFileAsync(1 << 20);
        await rig.Sender.FinishAsync();

        Assert.Equal((1 << 20, sent, StreamEnd.InOrder), await received);
        Assert.Equal(rig.SenderClosed, (await run).End);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_receiver_that_closes_early_is_known_to_the_sender_by_FIN_then_by_reset(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();

        await rig.Receiver.FinishAsync();
        rig.Receiver.Dispose();
        Assert.Equal((0, StreamEnd.InOrder), await rig.Sender.ReceiveRestAsync());
        SocketError refusal = await rig.Sender.SendUntilRefusedAsync();

        // The reset of a connection whose FIN was seen before is EPIPE to Linux.
        Assert.Contains(refusal, (SocketError[])[SocketError.ConnectionReset, SocketError.Shutdown]);
        RelayResult result = await run;
        Assert.Contains(result.End, rig.ReceiverFailed);
        Assert.False(result.IsComplete);
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task Stray_bytes_of_the_receiver_that_reach_the_sender_do_no_harm(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();

        await rig.Receiver.SendAsync(new byte[100]);
        await rig.Sender.ReceiveExactlyAsync(100);
        string sent = await rig.Sender.SendFileAsync(1 << 20);
        await rig.Sender.FinishAsync();

        Assert.True((await run).IsComplete);
        (long size, string hash, StreamEnd end) = await rig.Receiver.ReceiveFileAsync();
        Assert.Equal((1 << 20, sent, StreamEnd.InOrder), (size, hash, end));
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task The_tail_is_not_lost_when_the_receiver_has_sent_bytes_that_nobody_read(RelayKind kind, bool upload)
    {
        // The receiver has little room and reads nothing until the relay has ended; so most of the file is unsent then.
        const int Size = 100_000;
        var oneWay = new OneWayRelay(RelayRig.Of(kind));
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), 16 * 1024, oneWay);
        oneWay.Ignored = rig.ReceiverLeg;
        rig.ReceiverLeg.Connection.SetSendBuffer(2 * Size);
        await rig.Receiver.SendAsync(new byte[3000]);
        await rig.ReceiverLeg.Connection.WaitReadableAsync().AsTask().WaitAsync(RelayRig.Patience);

        Task<RelayResult> run = rig.RunAsync();
        string sent = await rig.Sender.SendFileAsync(Size);
        await rig.Sender.FinishAsync();
        RelayResult result = await run;

        Assert.True(result.IsComplete);
        Assert.Equal((Size, sent, StreamEnd.InOrder), await rig.Receiver.ReceiveFileAsync());
    }

    [Theory]
    [MemberData(nameof(RelayCases.RelaysBothWays), MemberType = typeof(RelayCases))]
    public async Task A_receiver_whose_stray_bytes_the_sender_never_reads_does_not_hold_the_end_up(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), 16 * 1024);
        Task<RelayResult> run = rig.RunAsync();
        Task<SocketError> strays = Task.Run(rig.Receiver.SendUntilRefusedAsync);
        await rig.Sender.ReceiveExactlyAsync(1);

        await rig.Sender.SendAsync(new byte[1]);
        await rig.Sender.FinishAsync();

        Assert.NotEqual(RelayEnd.Cut, (await run).End);
        rig.Receiver.Abort();
        await strays;
    }
}

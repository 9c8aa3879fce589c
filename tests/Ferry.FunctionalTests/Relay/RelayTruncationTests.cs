using System.Net.Sockets;
using Ferry.Relay;
using Ferry.Sessions;

namespace Ferry.FunctionalTests.Relay;

/// <summary>TLS streams that end without close_notify (RFC 8446 §6.1), and what is no TLS at all.</summary>
public sealed class RelayTruncationTests
{
    /// <summary>The beginning of a record of application data, 16 KiB long.</summary>
    private static readonly byte[] PartOfRecord = [23, 3, 3, 0x40, 0, 1, 2, 3];

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task A_file_that_was_cut_off_looks_cut_off_to_its_receiver(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();
        await rig.Sender.SendAsync(new byte[5000]);
        await rig.Receiver.ReceiveExactlyAsync(5000);

        rig.Sender.Truncate();

        await AssertTruncatedAsync(rig, await run, upload);
        Assert.Equal(5000, rig.Moved);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task Nothing_at_all_without_close_notify_is_no_empty_file(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        rig.Sender.Truncate();

        await AssertTruncatedAsync(rig, await rig.RunAsync(), upload);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task A_file_that_is_cut_off_in_a_record_looks_cut_off_to_its_receiver(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();
        await rig.Sender.Socket.SendAsync(PartOfRecord);

        rig.Sender.Truncate();

        await AssertTruncatedAsync(rig, await run, upload);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task A_file_that_was_cut_off_is_whole_where_that_is_allowed(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), allowsTruncation: true);
        Task<RelayResult> run = rig.RunAsync();
        Task<(long, string, StreamEnd)> received = rig.Receiver.ReceiveFileAsync();
        string sent = await rig.Sender.SendFileAsync(1 << 20);

        rig.Sender.Truncate();

        Assert.Equal((1 << 20, sent, StreamEnd.InOrder), await received);
        RelayResult result = await run;
        Assert.Equal(rig.SenderClosed, result.End);
        Assert.Equal(TransferOutcome.Complete, TransferOutcomes.Of(result));
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task A_reset_is_a_reset_where_truncation_is_allowed(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload), allowsTruncation: true);
        Task<RelayResult> run = rig.RunAsync();
        await rig.Sender.SendAsync(new byte[5000]);
        await rig.Receiver.ReceiveExactlyAsync(5000);

        rig.Sender.Abort();

        Assert.Equal((0, StreamEnd.Reset), await rig.Receiver.ReceiveRestAsync());
        Assert.Equal(rig.SenderReadFailed, (await run).End);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task A_stream_that_was_cut_off_is_passed_on_so_when_nobody_is_known_as_the_sender(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, TransferDirection.Either);
        (FarEnd sender, FarEnd receiver) = upload ? (rig.Client, rig.Upstream) : (rig.Upstream, rig.Client);
        bool isReceiverTls = upload ? rig.UpstreamLeg.IsTls : rig.ClientLeg.IsTls;
        Task<RelayResult> run = rig.RunAsync();
        await sender.SendAsync(new byte[100]);
        await receiver.ReceiveExactlyAsync(100);

        sender.Truncate();
        Assert.Equal((0, isReceiverTls ? StreamEnd.Truncated : StreamEnd.Reset), await receiver.ReceiveRestAsync());
        receiver.Dispose();

        RelayResult result = await run;
        Assert.False(result.IsComplete);
        Assert.Equal(upload ? RelayEnd.ClientTruncated : RelayEnd.UpstreamTruncated, result.End);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsReceivers), MemberType = typeof(RelayCases))]
    public async Task A_receiver_that_is_cut_off_is_not_given_half_a_file_as_a_whole_one(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();
        await rig.Sender.SendAsync(new byte[100]);
        await rig.Receiver.ReceiveExactlyAsync(100);

        rig.Receiver.Truncate();

        // At once, though the sender is silent: OpenSSL writes nothing more to such a peer.
        Assert.Equal((0, StreamEnd.Reset), await rig.Sender.ReceiveRestAsync());
        Assert.Equal((0, StreamEnd.Reset), await rig.Receiver.ReceiveRestAsync());
        RelayResult result = await run;
        Assert.Equal(upload ? RelayEnd.UpstreamTruncated : RelayEnd.ClientTruncated, result.End);
        Assert.Equal(upload ? TransferOutcome.UpstreamAborted : TransferOutcome.ClientAborted, TransferOutcomes.Of(result));
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsSenders), MemberType = typeof(RelayCases))]
    public async Task What_is_no_record_ends_the_transfer_as_a_reset_on_both_sides(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();
        await rig.Sender.SendAsync(new byte[5000]);
        await rig.Receiver.ReceiveExactlyAsync(5000);

        // A flood of it: whoever sends it gets RST, though nobody reads the rest.
        byte[] garbage = new byte[1 << 20];
        new Random(3).NextBytes(garbage);
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true)
                await rig.Sender.Socket.SendAsync(garbage).WaitAsync(RelayRig.Patience);
        });

        Assert.Equal((0, StreamEnd.Reset), await rig.Receiver.ReceiveRestAsync());
        RelayResult result = await run;
        Assert.Equal(rig.SenderReadFailed, result.End);
        Assert.Equal(upload ? TransferOutcome.ClientAborted : TransferOutcome.UpstreamAborted, TransferOutcomes.Of(result));
        Assert.NotNull(rig.SenderLeg.Failure);
    }

    [Theory]
    [MemberData(nameof(RelayCases.TlsReceivers), MemberType = typeof(RelayCases))]
    public async Task What_is_no_record_from_the_receiver_ends_the_transfer_as_a_reset_on_both_sides(RelayKind kind, bool upload)
    {
        await using RelayRig rig = await RelayRig.OpenAsync(kind, RelayCases.Direction(upload));
        Task<RelayResult> run = rig.RunAsync();

        await rig.Receiver.Socket.SendAsync("this is no TLS\r\n"u8.ToArray());

        Assert.Equal((0, StreamEnd.Reset), await rig.Sender.ReceiveRestAsync());
        Assert.Equal(rig.ReceiverFailed[0], (await run).End);
        Assert.NotNull(rig.ReceiverLeg.Failure);
    }

    private static async Task AssertTruncatedAsync(RelayRig rig, RelayResult result, bool upload)
    {
        // What TLS can say as it is, a plain connection can say by RST only.
        StreamEnd seen = rig.ReceiverLeg.IsTls ? StreamEnd.Truncated : StreamEnd.Reset;
        Assert.Equal((0, seen), await rig.Receiver.ReceiveRestAsync());
        Assert.Equal(rig.SenderTruncated, result.End);
        Assert.False(result.IsComplete);
        Assert.Equal(upload ? TransferOutcome.ClientAborted : TransferOutcome.UpstreamAborted, TransferOutcomes.Of(result));
        // Nothing is wrong with the sender's connection: it is closed, not reset.
        Assert.NotEqual(StreamEnd.Reset, (await rig.Sender.ReceiveRestAsync()).End);
        Assert.True(rig.SenderLeg.Connection.Handle.IsClosed);
    }
}

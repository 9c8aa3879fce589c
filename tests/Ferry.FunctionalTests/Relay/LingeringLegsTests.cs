using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Relay;

public sealed class LingeringLegsTests : IAsyncLifetime
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly ManualTimeProvider _time = new();
    private readonly List<FarEnd> _peers = [];
    private readonly LingeringLegs _lingering;

    public LingeringLegsTests() => _lingering = new LingeringLegs(_time, most: 3);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _peers.ForEach(peer => peer.Dispose());
        await _lingering.DisposeAsync();
    }

    [Fact]
    public async Task A_leg_whose_peer_has_closed_is_closed_at_once()
    {
        (FarEnd peer, DataLeg leg) = await OpenAsync();
        peer.Truncate();
        await leg.Connection.WaitReadableAsync().AsTask().WaitAsync(RelayRig.Patience);

        _lingering.Take(leg);

        Assert.Equal((0, true), (_lingering.Count, leg.Connection.Handle.IsClosed));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_leg_is_closed_when_its_peer_closes_or_resets(bool reset)
    {
        (FarEnd peer, DataLeg leg) = await OpenAsync();
        _lingering.Take(leg);
        Assert.Equal((1, false), (_lingering.Count, leg.Connection.Handle.IsClosed));
        await peer.SendAsync(new byte[1000]);

        if (reset)
            peer.Abort();
        else
            peer.Truncate();

        await Wait.Until(() => _lingering.Count == 0, "the leg to be closed");
        Assert.True(leg.Connection.Handle.IsClosed);
    }

    [Fact]
    public async Task A_peer_that_never_answers_is_waited_for_no_longer_than_nginx_would()
    {
        (_, DataLeg first) = await OpenAsync();
        (_, DataLeg second) = await OpenAsync();
        _lingering.Take(first);
        _time.Advance(TimeSpan.FromSeconds(2));
        _lingering.Take(second);
        _time.Advance(Longest - TimeSpan.FromSeconds(2) - TimeSpan.FromMilliseconds(1));
        _lingering.Sweep(_time.GetTimestamp());
        Assert.False(first.Connection.Handle.IsClosed);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        _lingering.Sweep(_time.GetTimestamp());

        Assert.True(first.Connection.Handle.IsClosed);
        Assert.False(second.Connection.Handle.IsClosed);
        await Wait.Until(() => _lingering.Count == 1, "the leg to leave");
    }

    [Fact]
    public async Task A_leg_that_is_given_up_is_still_delivered()
    {
        const int Size = 100_000;
        (FarEnd peer, DataLeg leg) = await OpenAsync(16 * 1024);
        leg.Connection.SetSendBuffer(2 * Size);
        await leg.SendAsync(new byte[Size]);
        Assert.True(await leg.TryEndAsync(isWhole: true));
        _lingering.Take(leg);

        _time.Advance(Longest);
        _lingering.Sweep(_time.GetTimestamp());

        Assert.True(leg.Connection.Handle.IsClosed);
        Assert.Equal((Size, StreamEnd.InOrder), await peer.ReceiveRestAsync());
    }

    [Fact]
    public async Task A_peer_that_sends_without_end_is_not_listened_to_without_end()
    {
        (FarEnd peer, DataLeg leg) = await OpenAsync();
        _lingering.Take(leg);

        SocketError refusal = await peer.SendUntilRefusedAsync();

        Assert.Contains(refusal, (SocketError[])[SocketError.ConnectionReset, SocketError.Shutdown]);
        await Wait.Until(() => _lingering.Count == 0, "the leg to leave");
    }

    [Fact]
    public async Task A_leg_too_many_is_closed_at_once()
    {
        for (int i = 0; i < 3; i++)
            _lingering.Take((await OpenAsync()).Leg);
        (FarEnd peer, DataLeg leg) = await OpenAsync();
        Assert.True(await leg.TryEndAsync(isWhole: true));

        _lingering.Take(leg);

        Assert.Equal((3, true), (_lingering.Count, leg.Connection.Handle.IsClosed));
        Assert.Equal((0, StreamEnd.InOrder), await peer.ReceiveRestAsync());
    }

    [Fact]
    public async Task At_the_end_all_are_closed_and_none_is_taken()
    {
        (_, DataLeg before) = await OpenAsync();
        (_, DataLeg after) = await OpenAsync();
        _lingering.Take(before);

        await _lingering.DisposeAsync().AsTask().WaitAsync(RelayRig.Patience);
        _lingering.Take(after);

        Assert.Equal(0, _lingering.Count);
        Assert.True(before.Connection.Handle.IsClosed);
        Assert.True(after.Connection.Handle.IsClosed);
    }

    private async Task<(FarEnd Peer, DataLeg Leg)> OpenAsync(int bufferSize = 0)
    {
        (FarEnd peer, DataLeg leg) = await RelayRig.ConnectAsync(bufferSize);
        _peers.Add(peer);
        return (peer, leg);
    }
}

using System.Net;
using System.Net.Sockets;
using Ferry.Transport;

namespace Ferry.Tests.Transport;

public sealed class ConnectResultTests
{
    private static readonly SourceAddress OfClient = new(IPAddress.Parse("198.51.100.7")) { IsTransparent = true, IsOfClient = true };
    private static readonly SourceAddress OfAll = OfClient with { IsOfClient = false };

    [Theory]
    [InlineData(SocketError.ConnectionRefused, false)]
    [InlineData(SocketError.HostUnreachable, false)]
    [InlineData(SocketError.TimedOut, false)]
    [InlineData(SocketError.TooManyOpenSockets, true)]
    [InlineData(SocketError.NoBufferSpaceAvailable, true)]
    [InlineData(SocketError.AddressAlreadyInUse, true)]
    [InlineData(SocketError.AddressNotAvailable, true)]
    public void What_this_machine_lacks_is_not_the_server_s_fault(SocketError error, bool isOurs) => Assert.Equal(isOurs, new ConnectResult(null, error).IsOurs);

    [Fact]
    public void Silence_says_nothing_of_a_server_whose_answers_may_have_gone_to_the_client()
    {
        Assert.True(new ConnectResult(null, SocketError.TimedOut) { From = OfClient }.IsOurs);
        Assert.False(new ConnectResult(null, SocketError.ConnectionRefused) { From = OfClient }.IsOurs);
        // Of an address that is the same for all, or one that is this machine's, the way back is the same for all.
        Assert.False(new ConnectResult(null, SocketError.TimedOut) { From = OfAll }.IsOurs);
        Assert.False(new ConnectResult(null, SocketError.TimedOut) { From = OfClient with { IsTransparent = false } }.IsOurs);
    }

    [Theory]
    [InlineData(SocketError.AccessDenied, "connecting from 198.51.100.7 failed: not permitted; \"transparent\" needs root, CAP_NET_RAW or CAP_NET_ADMIN")]
    [InlineData(SocketError.AddressFamilyNotSupported, "connecting from 198.51.100.7 failed: the server's address is of the other family")]
    [InlineData(SocketError.AddressNotAvailable, "connecting from 198.51.100.7 failed: it is no address of this machine")]
    [InlineData(SocketError.InvalidArgument, "connecting from 198.51.100.7 failed: InvalidArgument")]
    public void What_cannot_be_bound_is_ours_and_told(SocketError error, string told)
    {
        var result = new ConnectResult(null, error) { From = OfAll, IsUnbound = true };
        Assert.Equal((true, told), (result.IsOurs, result.Failure));
    }

    [Fact]
    public void What_failed_later_is_told_as_what_it_is()
    {
        Assert.Equal("connecting failed (ConnectionRefused)", new ConnectResult(null, SocketError.ConnectionRefused) { From = OfClient }.Failure);
        Assert.Equal("connecting timed out", new ConnectResult(null, SocketError.TimedOut) { From = OfAll }.Failure);
        Assert.Equal("connecting from 198.51.100.7 timed out; do the answers to it come back to this machine?", new ConnectResult(null, SocketError.TimedOut) { From = OfClient }.Failure);
        Assert.Equal("connecting from 198.51.100.7 failed: its ports are all in use", new ConnectResult(null, SocketError.AddressNotAvailable) { From = OfClient }.Failure);
        Assert.Equal("connecting failed (AddressNotAvailable)", new ConnectResult(null, SocketError.AddressNotAvailable).Failure);
    }
}

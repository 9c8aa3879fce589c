using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.FunctionalTests.Transport;

/// <summary>What the kernel makes of an address that is not this machine's. Nothing is sent: no connection is begun.</summary>
public sealed class SourceAddressTests
{
    [RootTheory]
    [InlineData("198.51.100.7", "127.0.0.1")]
    [InlineData("2001:db8::7", "::1")]
    public void A_connection_can_come_from_an_address_of_somebody_else_with_a_port_that_is_chosen_later(string from, string server)
    {
        using var connection = Connection.Open(new IPEndPoint(IPAddress.Parse(server), 21), null);
        var source = new SourceAddress(IPAddress.Parse(from));

        Assert.Equal(SocketError.AddressNotAvailable, source.Bind(connection));
        Assert.Equal(SocketError.Success, (source with { IsTransparent = true }).Bind(connection));

        // A port now would be taken from all connections of that address, whatever server they go to.
        Assert.Equal(new IPEndPoint(source.Address, 0), connection.LocalEndPoint);
    }

    [RootFact]
    public void Root_may_be_transparent() => Assert.Equal(SocketError.Success, SourceAddress.TryTransparency());

    [Fact]
    public void The_other_family_is_refused_with_its_name()
    {
        using var connection = Connection.Open(new IPEndPoint(IPAddress.IPv6Loopback, 21), null);
        Assert.Equal(SocketError.AddressFamilyNotSupported, new SourceAddress(IPAddress.Loopback) { IsTransparent = true }.Bind(connection));
    }

    [RootFact]
    public void A_transparent_port_is_open_as_long_as_it_is_lent()
    {
        var first = FreePorts.Range(2);
        var elsewhere = IPAddress.Parse("198.51.100.7");
        using var pool = new PortPool(new ZoneConfig("test", 1 << 20, elsewhere, first, first + 1), DataPeerPolicy.Control, TimeProvider.System, NullLogger.Instance) { IsTransparent = true };
        Assert.Equal(LendResult.Lent, pool.TryLend(IPAddress.Loopback, elsewhere, 0, [], out var lease));
        Assert.Equal(1, pool.OpenPorts);
        lease!.Dispose();
        Assert.Equal(0, pool.OpenPorts);

        using var plain = new PortPool(new ZoneConfig("test", 1 << 20, elsewhere, first, first + 1), DataPeerPolicy.Control, TimeProvider.System, NullLogger.Instance);
        Assert.Equal(LendResult.NoPort, plain.TryLend(IPAddress.Loopback, elsewhere, 0, [], out _));
    }
}

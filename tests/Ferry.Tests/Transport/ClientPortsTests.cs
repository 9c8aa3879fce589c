using System.Linq;
using Ferry.Transport;

namespace Ferry.Tests.Transport;

public sealed class ClientPortsTests
{
    private const int First = 20_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(11)]
    [InlineData(1024)]
    public void Every_port_of_a_small_range_comes_before_any_comes_again(int count)
    {
        var ports = New(count);
        var seen = Use(ports, 3 * count);
        Assert.Equal(Enumerable.Range(First, count), seen[..count].Order());
        Assert.Equal(seen[..count], seen[count..(2 * count)]);
        Assert.Equal(seen[..count], seen[(2 * count)..]);
    }

    [Theory]
    [InlineData(1025)]
    [InlineData(40_000)]
    public void A_port_of_a_large_range_rests_while_1023_others_are_used(int count)
    {
        var seen = Use(New(count), 4000);
        Assert.Equal(ClientPorts.Resting, seen.Distinct().Count());
        for (var i = ClientPorts.Resting; i < seen.Count; i++)
            Assert.Equal(seen[i - ClientPorts.Resting], seen[i]);
    }

    [Fact]
    public void Ports_that_are_held_do_not_shorten_the_rest_of_others()
    {
        var ports = New(40_000);
        var held = Enumerable.Range(0, 1000).Select(_ => Take(ports)).ToHashSet();
        var seen = Use(ports, 4000);
        Assert.Equal(1000, ports.Held);
        Assert.DoesNotContain(seen, held.Contains);
        Assert.Equal(ClientPorts.Resting, seen.Distinct().Count());
    }

    [Fact]
    public void Every_port_of_a_large_range_can_be_held_and_comes_again_in_the_order_of_giving_back()
    {
        var ports = New(40_000);
        Use(ports, 1000);
        var held = Enumerable.Range(0, 40_000).Select(_ => Take(ports)).ToArray();
        Assert.Equal(Enumerable.Range(First, 40_000), held.Order());
        Assert.False(ports.TryTake(out _));
        Assert.Equal(40_000, ports.Held);
        new Random(3).Shuffle(held);
        foreach (var port in held)
            ports.GiveBack(port);
        Assert.Equal(held, Enumerable.Range(0, 40_000).Select(_ => Take(ports)));
    }

    [Fact]
    public void A_client_costs_the_same_memory_in_a_range_of_any_size()
    {
        Cost(10);
        var (small, large, huge) = (Cost(10), Cost(2000), Cost(40_000));
        Assert.Equal(large, huge);
        Assert.InRange(large - small, 0, 12_000);
        Assert.InRange(large, 0, 12_000);
    }

    private static long Cost(int count)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var ports = New(count);
        for (var i = 0; i < 100_000; i++)
        {
            if (ports.TryTake(out var port))
                ports.GiveBack(port);
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static ClientPorts New(int count) => new(First, count, new Random(7));

    private static List<int> Use(ClientPorts ports, int times)
    {
        List<int> seen = [];
        for (var i = 0; i < times; i++)
        {
            var port = Take(ports);
            ports.GiveBack(port);
            seen.Add(port);
        }
        return seen;
    }

    private static int Take(ClientPorts ports)
    {
        Assert.True(ports.TryTake(out var port));
        return port;
    }
}

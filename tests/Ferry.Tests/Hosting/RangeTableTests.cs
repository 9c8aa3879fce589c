using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Hosting;

namespace Ferry.Tests.Hosting;

public sealed class RangeTableTests : IDisposable
{
    private static readonly RangeConfig Configured = new(11000, 12000, 10001, Position: new ConfigPosition("ferry.conf", 3, 1));

    private readonly string _folder = Directory.CreateTempSubdirectory("ferry-test-").FullName;

    private string FilePath => Path.Combine(_folder, "ranges");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Ranges_that_were_added_come_behind_those_of_the_configuration()
    {
        var table = new RangeTable(null);
        Assert.Null(table.TryAdd(new RangeConfig(13000, 13010, 10001), [Configured]));
        Assert.Equal([Configured, new RangeConfig(13000, 13010, 10001)], table.All([Configured]).AsEnumerable());
    }

    [Fact]
    public void What_a_reload_has_brought_into_the_configuration_is_not_there_twice()
    {
        var table = new RangeTable(null);
        Assert.Null(table.TryAdd(new RangeConfig(11000, 12000, 10001), []));
        Assert.Equal([Configured], table.All([Configured]).AsEnumerable());
    }

    [Theory]
    [InlineData(12000, 13000, 10001, null, "overlap")]
    [InlineData(12000, 13000, 10002, AddressFamily.InterNetworkV6, "overlap")]
    [InlineData(13010, 13000, 10001, null, "above the last")]
    [InlineData(0, 13000, 10001, null, "1 to 65535")]
    [InlineData(13000, 65536, 10001, null, "1 to 65535")]
    [InlineData(10000, 10010, 10001, null, "hold port 10001")]
    [InlineData(13000, 13010, 10001, AddressFamily.Unix, "ipv4 or ipv6")]
    public void A_range_that_cannot_be_is_refused(int first, int last, int destination, AddressFamily? family, string words)
    {
        var table = new RangeTable(null);
        Assert.Contains(words, table.TryAdd(new RangeConfig(first, last, destination, family), [Configured]), StringComparison.Ordinal);
        Assert.Empty(table.Added);
    }

    [Fact]
    public void Families_may_have_ranges_of_their_own()
    {
        var table = new RangeTable(null);
        Assert.Null(table.TryAdd(new RangeConfig(13000, 13010, 10001, AddressFamily.InterNetwork), []));
        Assert.Null(table.TryAdd(new RangeConfig(13000, 13010, 10002, AddressFamily.InterNetworkV6), []));
    }

    [Fact]
    public void The_number_of_ranges_is_bounded()
    {
        var table = new RangeTable(null);
        for (var i = 0; i < RangeTable.MaxRanges; i++)
            Assert.Null(table.TryAdd(new RangeConfig(20000 + i, 20000 + i, 10001), []));
        Assert.Contains("no more", table.TryAdd(new RangeConfig(30000, 30000, 10001), []), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_what_was_added_can_be_removed()
    {
        var table = new RangeTable(null);
        Assert.Null(table.TryAdd(new RangeConfig(13000, 13010, 10001), [Configured]));
        Assert.Contains("ferry.conf:3:1", table.TryRemove(new RangeConfig(11000, 12000, 10001), [Configured]), StringComparison.Ordinal);
        Assert.Contains("no range 14000-14010", table.TryRemove(new RangeConfig(14000, 14010, 10001), [Configured]), StringComparison.Ordinal);
        Assert.Null(table.TryRemove(new RangeConfig(13000, 13010, 10001), [Configured]));
        Assert.Empty(table.Added);
    }

    [Fact]
    public void The_file_brings_them_through_a_restart()
    {
        var table = new RangeTable(FilePath);
        Assert.Null(table.TryLoad());
        Assert.Null(table.TryAdd(new RangeConfig(13000, 13010, 10001), []));
        Assert.Null(table.TryAdd(new RangeConfig(14000, 14000, 10001, AddressFamily.InterNetworkV6), []));
        Assert.Null(table.TrySave());
        Assert.Equal("13000:13010 10001\n14000:14000 10001 ipv6\n", File.ReadAllText(FilePath));

        var next = new RangeTable(FilePath);
        Assert.Null(next.TryLoad());
        Assert.Equal(table.Added.AsEnumerable(), next.Added);
        Assert.Equal([FilePath], Directory.GetFiles(_folder));
    }

    [Fact]
    public void The_longest_file_can_be_read_again()
    {
        var table = new RangeTable(FilePath);
        for (var i = 0; i < RangeTable.MaxRanges; i++)
            Assert.Null(table.TryAdd(new RangeConfig(60000 + i, 60000 + i, 50001, AddressFamily.InterNetworkV6), []));
        Assert.Null(table.TrySave());
        Assert.Null(new RangeTable(FilePath).TryLoad());
    }

    [Theory]
    [InlineData("13000:13010", ":1: not a range")]
    [InlineData("13000:13010 10001\n\n1:2 3 ipv5", ":3: not a range")]
    [InlineData("13000:13010 70000", ":1: not a range")]
    [InlineData("13000:13010 10001\n13010:13020 10001", ":2: ports 13010-13020 to 10001 overlap")]
    [InlineData(null, "too long")]
    public void A_file_that_is_wrong_is_told_and_not_used(string? text, string words)
    {
        File.WriteAllText(FilePath, text ?? string.Concat(Enumerable.Range(20000, 1000).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p}:{p} 10001\n"))));
        var table = new RangeTable(FilePath);
        Assert.Contains(FilePath, table.TryLoad(), StringComparison.Ordinal);
        Assert.Contains(words, table.TryLoad(), StringComparison.Ordinal);
        Assert.Empty(table.Added);
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_told() =>
        Assert.Contains("cannot be written", new RangeTable(Path.Combine(_folder, "none", "ranges")).TrySave(), StringComparison.Ordinal);
}

using System.IO;
using System.Linq;
using Ferry.Transport.Dns;

namespace Ferry.Tests.Transport.Dns;

public sealed class SystemNamesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ferry-names-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private SystemNames Names(string hosts = "", string resolv = "")
    {
        File.WriteAllText(Path.Combine(_folder, "hosts"), hosts);
        File.WriteAllText(Path.Combine(_folder, "resolv.conf"), resolv);
        return new SystemNames(Path.Combine(_folder, "hosts"), Path.Combine(_folder, "resolv.conf"));
    }

    [Fact]
    public void The_hosts_file_has_all_addresses_of_a_name()
    {
        var names = Names("127.0.0.1 localhost\n# 192.0.2.9 ftp\n192.0.2.1\tFTP.example.com ftp # mine\n2001:db8::1 ftp\n192.0.2.1 ftp\nnonsense ftp\n");

        Assert.Equal(["192.0.2.1", "2001:db8::1"], names.Lookup("ftp").Select(a => a.ToString()));
        Assert.Equal(["192.0.2.1"], names.Lookup("ftp.EXAMPLE.com.").Select(a => a.ToString()));
        Assert.Empty(names.Lookup("192.0.2.1"));
        Assert.Empty(names.Lookup("mine"));
    }

    [Fact]
    public void The_first_three_name_servers_are_asked_and_this_machine_where_there_are_none()
    {
        Assert.Equal(
            ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.3:53"],
            Names(resolv: "; old\nnameserver 192.0.2.1\nnameserver x\nnameserver 2001:db8::1 # six\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n").Servers().Select(s => s.ToString()));
        Assert.Equal("127.0.0.1:53", Assert.Single(Names(resolv: "options rotate\n").Servers()).ToString());
    }

    [Theory]
    [InlineData("ftp", "", "ftp")]
    [InlineData("ftp", "search a.example b.example.", "ftp.a.example,ftp.b.example,ftp")]
    [InlineData("ftp.x", "search a.example", "ftp.x,ftp.x.a.example")]
    [InlineData("ftp.x", "options ndots:5\nsearch a.example", "ftp.x.a.example,ftp.x")]
    [InlineData("ftp.", "search a.example", "ftp.")]
    [InlineData("ftp", "search a.example\ndomain b.example c.example", "ftp.b.example,ftp")]
    [InlineData("ftp", "search 1 2 3 4 5 6 7 8", "ftp.1,ftp.2,ftp.3,ftp.4,ftp.5,ftp.6,ftp")]
    public void A_short_name_is_looked_for_in_the_domains_of_the_search_list(string name, string resolv, string expected) =>
        Assert.Equal(expected, string.Join(',', Names(resolv: resolv).Candidates(name)));

    [Fact]
    public void Files_that_are_not_there_say_nothing()
    {
        var names = new SystemNames("/nonexistent/hosts", "/nonexistent/resolv.conf");

        Assert.Empty(names.Lookup("localhost"));
        Assert.Equal("127.0.0.1:53", Assert.Single(names.Servers()).ToString());
        Assert.Equal("ftp", Assert.Single(names.Candidates("ftp")));
    }
}

using System.IO;
using System.Linq;
using System.Text;
using Ferry.Config;
using Ferry.Sessions;

namespace Ferry.Tests.Sessions;

/// <summary>What <c>map</c>, <c>split_clients</c> and <c>geo</c> make of what is known of a session.</summary>
public sealed class VariableTests
{
    private const string Maps = """
        map $ftp_user $exact { default other; Anna first; "" nobody; \default word; \~x tilde; }
        map $ftp_host $host { hostnames; default none; *.example.com suffix; *.eu.example.com longer; ftp.example.com exact; ftp.* prefix; ftp.example.* further; .example.org both; ~^x\.example\.com$ regex; ~^y later; }
        map $ftp_user $regex { ~^(?<name>[^@]+)@(?<where>.+)$ $name/$where/$1/$2; ~*^BOB $ftp_user; ~^b small; ~^(?P<p>c) <$p>; default -; }
        map $exact:$regex $chained { first:- $exact$exact; default $regex; }
        map $doubled4 $doubled5 { default $doubled4$doubled4$doubled4$doubled4; }
        map $doubled3 $doubled4 { default $doubled3$doubled3$doubled3$doubled3; }
        map $ftp_user $doubled3 { default $ftp_user$ftp_user$ftp_user$ftp_user; }
        split_clients "$ftp_user" $share { 0.5% a; 20% b; 30% c; * d; }
        split_clients $ftp_user $half { 50% a; }
        geo $net { default out; 10.0.0.0/8 wide; 10.1.0.0/16 narrow; 10.1.2.3 one; 2001:db8::/32 six; 0.0.0.0/1 low; }
        geo $ftp_host $named { 192.0.2.0/24 test; }
        """;

    private static readonly VariableTable Table = TableOf(Maps);

    private static VariableTable TableOf(string maps)
    {
        var file = ConfigFile.Parse($$"""
            stream {
                {{maps}}
                server { listen 21; ftp_ctrl zone=a:1m proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass 192.0.2.1; }
            }
            """);
        Assert.True(file.Config is not null, string.Join('\n', file.Diagnostics));
        return new VariableTable(file.Config.Variables);
    }

    private static string Value(string variable, string user = "", string host = "", string address = "192.0.2.1") =>
        new VariableScope(Table, name => name switch { "ftp_user" => user, "ftp_host" => host, "remote_addr" => address, _ => null }).ValueOf(variable);

    [Theory]
    [InlineData("anna", "first")]
    [InlineData("ANNA", "first")]
    [InlineData("annabel", "other")]
    [InlineData("", "nobody")]
    [InlineData("default", "word")]
    [InlineData("~x", "tilde")]
    public void A_whole_text_is_found_in_upper_and_lower_case(string user, string value) => Assert.Equal(value, Value("exact", user));

    [Theory]
    [InlineData("ftp.example.com", "exact")]
    [InlineData("FTP.Example.com.", "exact")]
    [InlineData("a.example.com", "suffix")]
    [InlineData("a.b.example.com", "suffix")]
    [InlineData("a.eu.example.com", "longer")]
    [InlineData("eu.example.com", "suffix")]
    [InlineData("example.com", "none")]
    [InlineData("x.example.com", "suffix")]
    [InlineData("ftp.a", "prefix")]
    [InlineData("ftp.example.net", "further")]
    [InlineData("ftp.example", "prefix")]
    [InlineData("ftp", "none")]
    [InlineData("example.org", "both")]
    [InlineData("a.example.org", "both")]
    [InlineData("yes", "later")]
    [InlineData(".", "none")]
    [InlineData("..", "none")]
    [InlineData("", "none")]
    public void Of_names_the_whole_one_counts_then_the_longest_wildcard_then_regular_expressions(string host, string value) =>
        Assert.Equal(value, Value("host", host: host));

    [Theory]
    [InlineData("anna@eu", "anna/eu/anna/eu")]
    [InlineData("bobby", "bobby")]
    [InlineData("b", "small")]
    [InlineData("cd", "<c>")]
    [InlineData("", "-")]
    public void The_first_regular_expression_counts_with_what_it_has_captured(string user, string value) => Assert.Equal(value, Value("regex", user));

    [Theory]
    [InlineData("anna", "firstfirst")]
    [InlineData("x@y", "x/y/x/y")]
    public void A_map_may_be_made_from_others(string user, string value) => Assert.Equal(value, Value("chained", user));

    [Fact]
    public void Variables_that_multiply_each_other_stay_bounded()
    {
        Assert.Equal(2560, Value("doubled4", new string('x', 160)).Length);
        Assert.Equal("", Value("doubled5", new string('x', 160)));
        Assert.Equal("", Value("doubled3", new string('x', VariableScope.LongestValue / 4 + 1)));
    }

    [Theory]
    [InlineData("", 0u)]
    [InlineData("a", 0x92685F5Eu)]
    [InlineData("192.0.2.1", 3369748723u)]
    [InlineData("192.0.2.10", 717667636u)]
    public void The_hash_is_MurmurHash2(string text, uint hash) => Assert.Equal(hash, SplitVariable.Hash(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Shares_are_as_large_as_they_are_said_to_be()
    {
        var found = Enumerable.Range(0, 20_000).Select(static n => Value("share", $"user{n}")).CountBy(static v => v).ToDictionary();

        Assert.InRange(found["a"], 60, 140);
        Assert.InRange(found["b"], 3800, 4200);
        Assert.InRange(found["c"], 5700, 6300);
        Assert.InRange(found["d"], 9500, 10_300);
        Assert.Contains("", Enumerable.Range(0, 20).Select(static n => Value("half", $"user{n}")));
    }

    [Theory]
    [InlineData("10.1.2.3", "one")]
    [InlineData("10.1.2.4", "narrow")]
    [InlineData("10.2.0.1", "wide")]
    [InlineData("9.255.255.255", "low")]
    [InlineData("128.0.0.1", "out")]
    [InlineData("2001:db8::1", "six")]
    [InlineData("2001:db9::1", "out")]
    [InlineData("::ffff:10.1.2.3", "one")]
    public void The_narrowest_network_counts(string address, string value) => Assert.Equal(value, Value("net", address: address));

    [Theory]
    [InlineData("192.0.2.77", "test")]
    [InlineData("192.0.3.1", "")]
    [InlineData("no address", "")]
    public void An_address_may_come_from_any_variable(string host, string value) => Assert.Equal(value, Value("named", host: host));

    [Fact]
    public void A_map_of_ten_thousand_users_is_included_and_asked()
    {
        var folder = Directory.CreateTempSubdirectory("ferry").FullName;
        try
        {
            var file = Path.Combine(folder, "users.map");
            File.WriteAllLines(file, Enumerable.Range(0, 10_000).Select(static n => $"user{n} pool{n % 7};"));
            var table = TableOf($"map $ftp_user $pool {{ default none; include {file}; }}");

            Assert.All(Enumerable.Range(0, 10_000), n => Assert.Equal($"pool{n % 7}", new VariableScope(table, _ => $"USER{n}").ValueOf("pool")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Names come from clients: an expression that backtracks would take longer than the age of the universe here.</summary>
    [Fact]
    public void No_name_keeps_a_regular_expression_busy() =>
        Assert.Equal("no", new VariableScope(TableOf("map $ftp_user $x { ~^(a+)+$ yes; default no; }"), _ => new string('a', 4000) + "!").ValueOf("x"));
}

using System.Net;
using System.Net.Sockets;
using Ferry.Transport.Linux;

namespace Ferry.Tests.Transport;

public sealed class NetfilterRulesTests
{
    private static readonly RedirectRule[] Everywhere =
    [
        new(10001, AddressFamily.InterNetwork, null, 11000, 12000),
        new(10001, AddressFamily.InterNetworkV6, null, 11000, 12000),
    ];

    private static readonly RedirectRule[] Somewhere =
    [
        new(10001, AddressFamily.InterNetwork, IPAddress.Parse("192.0.2.1"), 11000, 11000),
        new(10001, AddressFamily.InterNetworkV6, IPAddress.Parse("fe80::1%7"), 11001, 11002),
    ];

    [Fact]
    public void Nftables_get_a_table_of_Ferrys_own_for_clients_elsewhere_and_here()
    {
        Assert.Equal(
            """
            table inet ferry_10001 {
            	chain prerouting {
            		type nat hook prerouting priority -100; policy accept;
            		meta nfproto ipv4 fib daddr type local tcp dport 11000-12000 dnat to :10001
            		meta nfproto ipv6 fib daddr type local tcp dport 11000-12000 dnat to :10001
            	}
            	chain output {
            		type nat hook output priority -100; policy accept;
            		meta nfproto ipv4 fib daddr type local tcp dport 11000-12000 dnat to :10001
            		meta nfproto ipv6 fib daddr type local tcp dport 11000-12000 dnat to :10001
            	}
            }

            """,
            NetfilterRules.Nft(10001, Everywhere));
    }

    [Fact]
    public void Addresses_that_are_listened_on_are_the_only_ones_that_are_matched()
    {
        var text = NetfilterRules.Nft(10001, Somewhere);
        Assert.Contains("\t\tip daddr 192.0.2.1 tcp dport 11000 dnat to :10001\n\t\tip6 daddr fe80::1 tcp dport 11001-11002 dnat to :10001\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("fib", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Tproxy_hands_connections_over_before_any_translation_and_names_the_family()
    {
        Assert.Equal(
            """
            table inet ferry_10001 {
            	chain prerouting {
            		type filter hook prerouting priority -150; policy accept;
            		meta nfproto ipv4 fib daddr type local tcp dport 11000-12000 tproxy ip to :10001
            		meta nfproto ipv6 fib daddr type local tcp dport 11000-12000 tproxy ip6 to :10001
            	}
            }

            """,
            NetfilterRules.Tproxy(10001, Everywhere));
    }

    [Fact]
    public void A_table_is_made_before_it_is_deleted_so_that_it_may_be_there_or_not() =>
        Assert.Equal("table inet ferry_10001 {}\ndelete table inet ferry_10001\n", NetfilterRules.NftRemoval(10001));

    [Fact]
    public void Iptables_get_a_chain_of_Ferrys_own_and_the_jumps_that_are_missing()
    {
        Assert.Equal(
            """
            *nat
            :FERRY-10001 - [0:0]
            -A FERRY-10001 -m addrtype --dst-type LOCAL -p tcp -m tcp --dport 11000:12000 -j DNAT --to-destination :10001
            -A OUTPUT -j FERRY-10001
            COMMIT

            """,
            NetfilterRules.NatTable(NetfilterRules.Iptables(10001, Everywhere[..1], ["OUTPUT"])));
        Assert.Contains("-A FERRY-10001 -d fe80::1 -p tcp -m tcp --dport 11001:11002 -j DNAT --to-destination :10001\n", NetfilterRules.Iptables(10001, Somewhere[1..], []), StringComparison.Ordinal);
    }

    [Fact]
    public void A_chain_goes_with_its_jumps() =>
        Assert.Equal(
            ":FERRY-10001 - [0:0]\n-D PREROUTING -j FERRY-10001\n-D OUTPUT -j FERRY-10001\n-X FERRY-10001\n",
            NetfilterRules.Iptables(10001, [], ["PREROUTING", "OUTPUT"]));
}

namespace Ferry.Transport.Linux;

internal static partial class Libc
{
    public const int SOL_IP = 0;
    public const int SOL_IPV6 = 41;
    public const int IP_TRANSPARENT = 19;
    public const int IPV6_TRANSPARENT = 75;
    public const int SO_ORIGINAL_DST = 80; // linux/netfilter_ipv4.h
    public const int IP6T_SO_ORIGINAL_DST = 80; // linux/netfilter_ipv6/ip6_tables.h
}

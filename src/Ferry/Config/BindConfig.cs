using System.Net;

namespace Ferry.Config;

/// <summary>Where connections to servers come from (<c>proxy_bind</c>): <paramref name="Address"/>, or what <paramref name="Text"/> amounts to.</summary>
/// <param name="Address">One address for all sessions. Servers of the other family are connected to without it, unless it is transparent. Null: the text tells.</param>
/// <param name="Text">The address of a session, with variables; where it amounts to nothing, the kernel chooses. Looked at once for each server that is tried. Null: the address tells.</param>
/// <param name="IsTransparent">The address need not be one of this machine (<c>transparent</c>), which takes CAP_NET_RAW or CAP_NET_ADMIN, and a way back for the servers' answers.</param>
public sealed record BindConfig(IPAddress? Address, TextTemplate? Text = null, bool IsTransparent = false)
{
    /// <summary>Where the line is, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);
}

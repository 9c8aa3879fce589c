namespace Ferry.Config;

/// <summary>The header of HAProxy's PROXY protocol by which servers learn whose connection one of ours is.</summary>
public enum ProxyProtocolVersion
{
    /// <summary>None is sent.</summary>
    Off,

    /// <summary>A line of text: addresses and ports (<c>on</c>).</summary>
    V1,

    /// <summary>The binary form, with the session's id and what is known of the client's TLS (<c>v2</c>).</summary>
    V2,
}

namespace Ferry.Protocol;

/// <summary>The commands that Ferry treats in a way of their own. Every other one is <see cref="Other"/> and passes as it came.</summary>
internal enum FtpVerb
{
    Other,
    Abor,
    Acct,
    Appe,
    Auth,
    Ccc,
    Clnt,
    Cpsv,
    Eprt,
    Epsv,
    Esta,
    Estp,
    Feat,
    Help,
    Host,
    Lang,
    List,
    Lprt,
    Lpsv,
    Mlsd,
    Mode,
    Nlst,
    Noop,
    Opts,
    Pass,
    Pasv,
    Pbsz,
    Port,
    Prot,
    Quit,
    Rein,
    Retr,
    Spsv,
    Sscn,
    Stat,
    Stor,
    Stou,
    Syst,
    Type,
    User,
}

/// <summary>Which way a command's data goes.</summary>
internal enum DataUse
{
    None,
    Download,
    Upload,
    Listing,
}

internal static class FtpVerbs
{
    /// <summary>The verb that a command's first word names; letters in any case (RFC 959 §5.3).</summary>
    public static FtpVerb Parse(ReadOnlySpan<byte> word)
    {
        if (word.Length is < 3 or > 4)
            return FtpVerb.Other;
        uint key = 0;
        foreach (var letter in word)
            key = (key << 8) | (letter is >= (byte)'a' and <= (byte)'z' ? (uint)(letter - 32) : letter);
        return key switch
        {
            0x41424F52 => FtpVerb.Abor,
            0x41434354 => FtpVerb.Acct,
            0x41505045 => FtpVerb.Appe,
            0x41555448 => FtpVerb.Auth,
            0x434343 => FtpVerb.Ccc,
            0x434C4E54 => FtpVerb.Clnt,
            0x43505356 => FtpVerb.Cpsv,
            0x45505254 => FtpVerb.Eprt,
            0x45505356 => FtpVerb.Epsv,
            0x45535441 => FtpVerb.Esta,
            0x45535450 => FtpVerb.Estp,
            0x46454154 => FtpVerb.Feat,
            0x48454C50 => FtpVerb.Help,
            0x484F5354 => FtpVerb.Host,
            0x4C414E47 => FtpVerb.Lang,
            0x4C495354 => FtpVerb.List,
            0x4C505254 => FtpVerb.Lprt,
            0x4C505356 => FtpVerb.Lpsv,
            0x4D4C5344 => FtpVerb.Mlsd,
            0x4D4F4445 => FtpVerb.Mode,
            0x4E4C5354 => FtpVerb.Nlst,
            0x4E4F4F50 => FtpVerb.Noop,
            0x4F505453 => FtpVerb.Opts,
            0x50415353 => FtpVerb.Pass,
            0x50415356 => FtpVerb.Pasv,
            0x5042535A => FtpVerb.Pbsz,
            0x504F5254 => FtpVerb.Port,
            0x50524F54 => FtpVerb.Prot,
            0x51554954 => FtpVerb.Quit,
            0x5245494E => FtpVerb.Rein,
            0x52455452 => FtpVerb.Retr,
            0x53505356 => FtpVerb.Spsv,
            0x5353434E => FtpVerb.Sscn,
            0x53544154 => FtpVerb.Stat,
            0x53544F52 => FtpVerb.Stor,
            0x53544F55 => FtpVerb.Stou,
            0x53595354 => FtpVerb.Syst,
            0x54595045 => FtpVerb.Type,
            0x55534552 => FtpVerb.User,
            _ => FtpVerb.Other,
        };
    }

    /// <summary>Which way the data of a transfer command goes; None for every other command.</summary>
    public static DataUse DataOf(FtpVerb verb) => verb switch
    {
        FtpVerb.Retr => DataUse.Download,
        FtpVerb.List or FtpVerb.Nlst or FtpVerb.Mlsd => DataUse.Listing,
        FtpVerb.Stor or FtpVerb.Stou or FtpVerb.Appe => DataUse.Upload,
        _ => DataUse.None,
    };

    /// <summary>True for a command whose answer opens a passive port.</summary>
    public static bool IsPassive(FtpVerb verb) => verb is FtpVerb.Pasv or FtpVerb.Epsv;

    /// <summary>True for a command that names a port to connect to.</summary>
    public static bool IsActive(FtpVerb verb) => verb is FtpVerb.Port or FtpVerb.Eprt;
}

namespace Ferry.Transport;

/// <summary>Why a port was lent or not.</summary>
internal enum LendResult
{
    Lent,

    /// <summary>The zone holds as many leases as its size allows.</summary>
    ZoneFull,

    /// <summary>The client holds as many ports as one client may.</summary>
    ClientLimit,

    /// <summary>The client holds every port of the range, or those it does not hold could not be opened.</summary>
    NoPort,
}

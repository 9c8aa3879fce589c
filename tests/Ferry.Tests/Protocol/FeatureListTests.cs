using System.Text;
using Ferry.Protocol;
using FsCheck.Fluent;
using static FsCheck.Check;

namespace Ferry.Tests.Protocol;

public sealed class FeatureListTests
{
    [Theory]
    [InlineData(" AUTH TLS")]
    [InlineData(" AUTH TLS;SSL;")]
    [InlineData(" auth")]
    [InlineData("AUTH SSL")]
    [InlineData("\tSSCN")]
    [InlineData(" PBSZ")]
    [InlineData(" PROT")]
    [InlineData(" PROT;C;P;")]
    [InlineData(" CCC")]
    [InlineData(" CPSV")]
    [InlineData(" SSCN")]
    [InlineData(" LPRT")]
    [InlineData(" LPSV")]
    [InlineData(" SPSV")]
    public void What_Ferry_does_not_carry_is_left_out(string line)
    {
        Assert.False(FeatureList.IsCarried(Encoding.ASCII.GetBytes(line)));
    }

    [Theory]
    [InlineData(" EPSV")]
    [InlineData("\tEPRT")]
    [InlineData(" PASV")]
    [InlineData(" UTF8")]
    [InlineData(" REST STREAM")]
    [InlineData(" MLST type*;size*;modify*;")]
    [InlineData(" AUTHX")]
    [InlineData(" X AUTH")]
    [InlineData(" HOST")]
    [InlineData("")]
    [InlineData(" ")]
    public void Everything_else_stays(string line)
    {
        Assert.True(FeatureList.IsCarried(Encoding.ASCII.GetBytes(line)));
    }

    [Theory]
    [InlineData(true, true, true, " AUTH TLS\r\n PBSZ\r\n PROT\r\n CCC\r\n")]
    [InlineData(false, true, false, " PBSZ\r\n PROT\r\n")]
    [InlineData(false, false, false, "")]
    public void What_Ferry_does_itself_is_named_as_RFC_4217_has_it(bool auth, bool protection, bool ccc, string lines)
    {
        Assert.Equal(lines, Encoding.ASCII.GetString(FeatureList.Tls(auth, protection, ccc)));
        Assert.Equal("211-Features:\r\n" + lines + "211 End\r\n", Encoding.ASCII.GetString(FeatureList.Whole(FeatureList.Tls(auth, protection, ccc))));
    }

    [Theory]
    [InlineData(" EPRT", true)]
    [InlineData("eprt", true)]
    [InlineData("\tEPRT;x", true)]
    [InlineData(" EPRTX", false)]
    [InlineData(" X EPRT", false)]
    [InlineData("", false)]
    public void A_line_names_the_feature_that_it_begins_with(string line, bool names)
    {
        Assert.Equal(names, FeatureList.Names(Encoding.ASCII.GetBytes(line), "EPRT"u8));
    }

    [Theory]
    [InlineData(true, true, " EPRT\r\n EPSV\r\n")]
    [InlineData(false, true, " EPSV\r\n")]
    [InlineData(true, false, " EPRT\r\n")]
    [InlineData(false, false, "")]
    public void What_the_server_does_not_know_of_RFC_2428_is_added(bool eprt, bool epsv, string lines)
    {
        Assert.Equal(lines, Encoding.ASCII.GetString(FeatureList.Extended(eprt, epsv)));
    }

    [Fact]
    public void What_follows_a_features_name_does_not_matter() => QuickThrowOnFailure(Prop.ForAll<byte[]>(noise =>
        !FeatureList.IsCarried([.. " SSCN "u8, .. noise]) && FeatureList.IsCarried([.. " EPSV "u8, .. noise])));
}

namespace Ferry.Config;

internal sealed partial class ConfigWriter
{
    private void WriteBind(BindConfig? bind)
    {
        if (bind is null)
            Line("proxy_bind", "off");
        else
            Line(["proxy_bind", bind.Address?.ToString() ?? Quote(bind.Text!.Text), .. bind.IsTransparent ? [ConfigBinder.Transparent] : (string[])[]]);
    }
}

namespace ZeroStor.S3.Xml;

/// <summary>Whom S3's answers name as owner. A fabric has one, so every bucket and object is his.</summary>
internal static class Owner
{
    public const string Id = "zerostor";

    public const string StorageClass = "STANDARD";

    public static void Write(XmlAnswer xml, string element = "Owner") => xml.Start(element)
        .Element("ID", Id)
        .Element("DisplayName", Id)
        .End(element);
}
